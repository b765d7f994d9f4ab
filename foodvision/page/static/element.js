// Building blocks of the page.

// An HTML element. Strings among its children stay text, so a file's name is never read as HTML.
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function button(text, onClick) {
  const node = element("button", { type: "button", class: "fv-quiet" }, text);
  node.addEventListener("click", onClick);
  return node;
}

// Never 0 % or 100 %: no model is that sure.
export function percent(probability) {
  if (probability < 0.01) return "under 1%";
  if (probability > 0.99) return "over 99%";
  return `${Math.round(100 * probability)}%`;
}

export function megabytes(size) {
  return `${(size / 1e6).toFixed(1)} MB`;
}

// A phone's own camera is better than a live picture, and nothing is dropped on a phone.
export function onPhone() {
  return matchMedia("(pointer: coarse)").matches;
}

// In Voilà the page is the dashboard's own; in JupyterLab and Notebook it is one output among others.
export function ownsThePage() {
  return "voila" in document.body.dataset;
}
