// The dashboard as a widget: its answers come from the notebook's kernel.
import { openDashboard } from "./dashboard.js";
import { kernelAnswerer } from "./kernel.js";
import { languagesFolder, speak } from "./language.js";
import { words } from "./words.js";

/** @import { Model } from "./types" */

const SYNCED = ["feedback_on", "titles", "background", "dishes", "examples", "source"]; // before there is a kernel, too

export default () => {
  // Every page that shows a kernel's model receives all of its replies, and in JupyterLab the kernel outlives a reload. So
  // no two requests to it may have the same id. (crypto.randomUUID only exists with https.)
  let id = Math.floor(Math.random() * 2 ** 52);
  const nextId = () => ++id;
  return {
    /** @param {{ model: Model, el: HTMLElement }} widget */
    async render({ model, el }) {
      const drawn = await takeDrawn();
      if (drawn)
        Object.assign(words, drawn.words); // this script is another copy of the one that drew it
      else await speak(el, languagesFolder());
      const dashboard = drawn ?? openDashboard(el, read(model, "short_side", "max_bytes", ...SYNCED));
      return dashboard.connect((events) => kernelAnswerer(model, nextId, events), read(model, ...SYNCED, "link"));
    },
  };
};

// Voilà's template draws the dashboard before there is a kernel; the first widget on the page takes it over.
function takeDrawn() {
  const drawn = globalThis.foodvision;
  globalThis.foodvision = null;
  return drawn;
}

/** @param {Model} model @param {...string} names @returns {any} */
function read(model, ...names) {
  return Object.fromEntries(names.map((name) => [name, model.get(name)]));
}
