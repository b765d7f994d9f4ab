// Right or wrong: what the visitor says of an answer, where the owner asks for it.
import { button, element } from "./element.js";

// `choices` are [class name, words] pairs; `send` takes the class and whether to keep the photo, and gives the reply.
export function verdictOn({ label }, choices, send) {
  let truth = null;
  const right = button("Right", () => tell(label));
  const other = element("select", { class: "fv-quiet", "aria-label": "It was" }, element("option", { value: "" }, "It was …"));
  for (const [name, words] of choices) if (name !== label) other.append(element("option", { value: name }, words));
  const keep = element("input", { type: "checkbox" });
  const thanks = element("span", { role: "status" });
  other.addEventListener("change", () => other.value && tell(other.value));
  keep.addEventListener("change", () => truth && tell(truth)); // a change of mind counts

  async function tell(name) {
    truth = name;
    right.setAttribute("aria-pressed", name === label);
    if (name === label) other.value = "";
    const reply = await send(truth, keep.checked);
    thanks.textContent = reply.thanks ?? reply.error;
  }

  return element(
    "div",
    { class: "fv-verdict", role: "group", "aria-label": "Is this answer right?" },
    right,
    other,
    element("label", {}, keep, " Keep my photo, too"),
    thanks,
  );
}
