// Asks the visitor whether an answer is right, if the owner wants to know; then, once, whether the photo may be kept.
import { dishesOf, titleOf } from "./describe.js";
import { button, element } from "./element.js";
import { words } from "./words.js";

/** @import { Classes, Failure, Prediction } from "./types" */

const MAX_CHARACTERS = 60; // of a name that the model doesn't know
let lists = 0; // on the page so far, so that each has an id of its own

/**
 * `label` gives the answer on show, `judge` takes the true class, and whether to keep the photo.
 * @param {Prediction} prediction
 * @param {Classes} classes
 * @param {() => string} label
 * @param {(truth: string, keepPhoto: boolean) => Promise<{ photo: boolean } | Failure>} judge
 */
export function verdictOn({ probabilities }, classes, label, judge) {
  const names = [...new Set([...dishesOf(classes), ...Object.keys(probabilities)])];
  const yes = button(words.yes, () => keep(label(), yes));
  const no = button(words.no, () => step.replaceChildren(truthForm(names, classes, (truth) => keep(truth, no))));
  no.addEventListener("click", () => step.querySelector("input")?.focus());
  const step = element("div", { class: "fv-step", role: "status" });
  let asked = false;

  async function keep(/** @type {string} */ truth, /** @type {HTMLElement} */ pressed, photo = false) {
    for (const one of [yes, no]) one.setAttribute("aria-pressed", String(one === pressed));
    const reply = await judge(truth, photo);
    if ("error" in reply) return step.replaceChildren(element("p", {}, reply.error));
    const ask = !asked;
    asked = true;
    if (ask) return askForPhoto((consents) => (consents ? keep(truth, pressed, true) : say(words.thanks)));
    say(reply.photo ? words.thanksForPhoto : words.thanks);
  }

  function askForPhoto(/** @type {(consents: boolean) => void} */ answer) {
    const choices = [button(words.keepPhoto, () => answer(true)), button(words.noPhoto, () => answer(false))];
    step.replaceChildren(element("p", {}, words.askPhoto), ...choices);
    choices[0].focus();
  }

  function say(/** @type {string} */ sentence) {
    step.replaceChildren(element("p", {}, sentence));
  }

  const question = element("div", { class: "fv-ask" }, element("p", {}, words.verdict), yes, no);
  return element("div", { class: "fv-verdict", role: "group", "aria-label": words.verdict }, question, step);
}

/**
 * A name from the model's list, or any other.
 * @param {string[]} names
 * @param {Classes} classes
 * @param {(truth: string) => void} send
 */
function truthForm(names, classes, send) {
  const titles = new Map(names.map((name) => [titleOf(name, classes), name]));
  const list = element("datalist", { id: `fv-names-${++lists}` });
  list.append(...[...titles.keys()].sort().map((title) => element("option", { value: title })));
  const field = element("input", {
    "aria-label": words.truth,
    autocomplete: "off",
    list: list.id,
    maxlength: MAX_CHARACTERS,
    placeholder: words.truth,
    required: "",
  });
  const form = element("form", {}, field, list, element("button", { class: "fv-quiet" }, words.send));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = field.value.trim();
    const known = [...titles.keys()].find((title) => title.toLowerCase() === typed.toLowerCase());
    if (typed) send(known === undefined ? typed : /** @type {string} */ (titles.get(known)));
  });
  return form;
}
