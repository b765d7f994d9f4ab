// What the page offers before there is a photo: its question, a large area for photos, and examples. With a photo on
// show, the area becomes a toolbar.
import { cameraButton } from "./camera.js";
import { choicesOf, questionOf } from "./describe.js";
import { element, onPhone } from "./element.js";
import { icon } from "./icons.js";
import { chooser } from "./inputs.js";
import { words } from "./words.js";

/** @import { Classes, Complain, Example, Look } from "./types" */

/** @param {Look} look @param {Complain} complain */
export function dropArea(look, complain) {
  const choose = chooser(words.choose, "picture", { multiple: "" }, look);
  const camera = cameraButton(look, complain);
  const ways = onPhone() ? [camera, choose] : [choose, camera];
  const hint = element("p", { class: "fv-hint" }, onPhone() ? words.hintOnPhone : words.hint);
  const letGo = element("p", { class: "fv-let-go" }, words.letGo);
  const plate = element("div", { class: "fv-plate" }, icon("picture"));
  const table = element("div", { class: "fv-table", "aria-hidden": "true" }, icon("fork"), plate, icon("knife"));
  const area = element("div", { class: "fv-offer" }, table, element("div", { class: "fv-ways" }, ...ways), hint, letGo);
  area.addEventListener("click", ({ target }) => {
    const pressed = target instanceof Element && target.closest("label, button");
    if (!pressed) choose.querySelector("input")?.click();
  });
  return area;
}

/** What the page asks, and a switch where the model can answer more exactly. @param {(big: boolean) => void} onChange */
export function questions(onChange) {
  const question = element("p", { class: "fv-question" });
  const options = element("div", { class: "fv-switch", role: "radiogroup", "aria-label": words.detail });
  const choice = (/** @type {boolean} */ big) => {
    const input = element("input", { type: "radio", name: "fv-detail" });
    const text = element("span");
    input.addEventListener("change", () => onChange(big));
    options.append(element("label", {}, input, text));
    return { input, text };
  };
  const [mini, big] = [choice(false), choice(true)];
  return {
    question,
    options,
    /** @param {Classes} classes @param {boolean} isBig */
    tell(classes, isBig) {
      const choices = choicesOf(classes);
      question.textContent = questionOf(classes, Boolean(choices) && isBig);
      options.hidden = !choices;
      mini.text.textContent = choices?.mini ?? "";
      big.text.textContent = choices?.big ?? "";
      (isBig ? big : mini).input.checked = true;
    },
  };
}

/** @param {Example[]} examples @param {(example: Example) => void} onChoose */
export function exampleRow(examples, onChoose) {
  const buttons = examples.map((example) => {
    const image = element("img", { src: example.thumbnail, alt: words.example(example.name) });
    const button = element("button", { type: "button", class: "fv-example" }, image);
    button.addEventListener("click", () => onChoose(example));
    return button;
  });
  return element("div", { class: "fv-examples" }, element("p", {}, words.examples), element("div", {}, ...buttons));
}
