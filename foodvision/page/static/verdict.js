// Asks the visitor whether an answer is right, if the owner wants to know.
import { button, element } from "./element.js";
import { labels, thanks, titleOf } from "./words.js";

/** @import { Classes, Failure, Prediction } from "./types" */

/**
 * `judge` takes the true class, and whether to keep the photo.
 * @param {Prediction} prediction
 * @param {Classes} classes
 * @param {(truth: string, keepPhoto: boolean) => Promise<{ photo: boolean } | Failure>} judge
 */
export function verdictOn({ label, probabilities }, classes, judge) {
  let truth = "";
  const right = button(labels.right, () => tell(label));
  const other = element(
    "select",
    { class: "fv-quiet", "aria-label": labels.wrong },
    element("option", { value: "" }, `${labels.wrong} …`),
  );
  for (const name of Object.keys(probabilities)) {
    if (name !== label) other.append(element("option", { value: name }, titleOf(name, classes)));
  }
  const keep = element("input", { type: "checkbox" });
  const said = element("span", { role: "status" });
  other.addEventListener("change", () => other.value && tell(other.value));
  keep.addEventListener("change", () => truth && tell(truth)); // replaces the verdict

  async function tell(/** @type {string} */ name) {
    truth = name;
    right.setAttribute("aria-pressed", String(name === label));
    if (name === label) other.value = "";
    const reply = await judge(truth, keep.checked);
    said.textContent = "error" in reply ? reply.error : thanks(reply);
  }

  return element(
    "div",
    { class: "fv-verdict", role: "group", "aria-label": labels.verdict },
    right,
    other,
    element("label", {}, keep, ` ${labels.keepPhoto}`),
    said,
  );
}
