// Building blocks of the page.

/**
 * An HTML element. Strings among its children stay text, so a file's name is never read as HTML.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** @param {string} text @param {() => void} onClick */
export function button(text, onClick) {
  const node = element("button", { type: "button", class: "fv-quiet" }, text);
  node.addEventListener("click", onClick);
  return node;
}

/** A menu that opens below its button. @param {string} label @param {...HTMLElement} items */
export function menu(label, ...items) {
  const panel = element("div", { class: "fv-panel" }, ...items);
  const node = element("details", { class: "fv-menu" }, element("summary", { class: "fv-quiet" }, label), panel);
  node.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !node.contains(/** @type {Node} */ (relatedTarget))) node.open = false;
  });
  node.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    node.open = false;
    node.querySelector("summary")?.focus();
  });
  panel.addEventListener("click", () => (node.open = false));
  const pressedElsewhere = (/** @type {Event} */ { target }) => {
    if (!node.contains(/** @type {Node} */ (target))) node.open = false;
  };
  node.addEventListener("toggle", () => {
    if (node.open) document.addEventListener("pointerdown", pressedElsewhere);
    else document.removeEventListener("pointerdown", pressedElsewhere);
  });
  return node;
}

/**
 * @param {string} label
 * @param {[string, string][]} options values and what they are called
 * @param {(value: string) => void} onChange
 */
export function picker(label, options, onChange) {
  const node = element("select", { class: "fv-quiet" });
  node.addEventListener("change", () => onChange(node.value));
  offer(node, options);
  return { node: element("label", { class: "fv-picker" }, label, " ", node), select: node };
}

/** Replaces what a select offers; what was chosen stays, if it is still there. @param {HTMLSelectElement} select @param {[string, string][]} options */
export function offer(select, options) {
  const { value } = select;
  select.replaceChildren(...options.map(([key, title]) => element("option", { value: key }, title)));
  if (options.some(([key]) => key === value)) select.value = value;
}

// A phone's camera app is better than a live picture in the page, and nobody drops files on a phone.
export function onPhone() {
  return matchMedia("(pointer: coarse)").matches;
}

// In Voilà, and without a kernel, the dashboard has the page to itself; in JupyterLab and Notebook it is one output among
// others.
export function ownsThePage() {
  return "voila" in document.body.dataset || "standalone" in document.body.dataset;
}
