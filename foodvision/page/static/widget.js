// The dashboard as a widget: its answers come from the notebook's kernel.
import { openDashboard } from "./dashboard.js";
import { kernelAnswerer } from "./kernel.js";
import { languagesFolder, speak } from "./language.js";

/** @import { Model } from "./types" */

const SYNCED = ["feedback_on", "titles", "background", "dishes", "examples", "source"]; // before there is a kernel, too

// Voilà's template runs this script, too, to draw the dashboard before there is a kernel. The kernel then sends the page
// one line that calls this function (`DRAWN_SCRIPT` in dashboard.py), and the first widget takes the dashboard over.
export function widget() {
  // Every page that shows a kernel's model receives all of its replies, and in JupyterLab the kernel outlives a reload. So
  // no two requests to it may have the same id. (crypto.randomUUID only exists with https.)
  let id = Math.floor(Math.random() * 2 ** 52);
  const nextId = () => ++id;
  return {
    /** @param {{ model: Model, el: HTMLElement }} widget */
    async render({ model, el }) {
      const dashboard = (await takeDrawn()) ?? (await draw(model, el));
      return dashboard.connect((events) => kernelAnswerer(model, nextId, events), read(model, ...SYNCED, "link"));
    },
  };
}

export default widget;

function takeDrawn() {
  const drawn = globalThis.foodvision?.drawn;
  delete globalThis.foodvision?.drawn;
  return drawn;
}

/** @param {Model} model @param {HTMLElement} el */
async function draw(model, el) {
  await speak(el, languagesFolder());
  return openDashboard(el, read(model, "short_side", "max_bytes", ...SYNCED));
}

/** @param {Model} model @param {...string} names @returns {any} */
function read(model, ...names) {
  return Object.fromEntries(names.map((name) => [name, model.get(name)]));
}
