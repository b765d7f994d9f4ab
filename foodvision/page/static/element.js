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

// A phone's camera app is better than a live picture in the page, and nobody drops files on a phone.
export function onPhone() {
  return matchMedia("(pointer: coarse)").matches;
}

// In Voilà, and without a kernel, the dashboard has the page to itself; in JupyterLab and Notebook it is one output among
// others.
export function ownsThePage() {
  return "voila" in document.body.dataset || "standalone" in document.body.dataset;
}
