// Ways to add photos: choosing them, taking them with a phone, dropping or pasting them. Each calls `look` with files.
import { element } from "./element.js";
import { icon } from "./icons.js";
import { words } from "./words.js";

/** @import { Complain, Look } from "./types" */

/**
 * A file input that covers its label.
 * @param {string} text
 * @param {"picture" | "camera"} drawing
 * @param {Record<string, string>} attributes
 * @param {Look} look
 */
export function chooser(text, drawing, attributes, look) {
  const input = element("input", { type: "file", accept: "image/*,.heic,.heif,.avif", ...attributes });
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = ""; // lets the visitor choose the same file again
    if (files.length) look(files);
  });
  return element("label", { class: "fv-button" }, input, icon(drawing), text);
}

/**
 * @param {Document | HTMLElement} area
 * @param {HTMLElement} marked
 * @param {{ look: Look, complain: Complain, signal: AbortSignal }} page
 */
export function acceptDrops(area, marked, { look, complain, signal }) {
  const mark = (/** @type {boolean} */ on) => marked.classList.toggle("fv-drop-here", on);
  const listen = (/** @type {string} */ type, /** @type {(event: any) => void} */ listener) =>
    area.addEventListener(type, listener, { signal });
  listen("dragover", (event) => {
    event.preventDefault();
    mark(true);
  });
  listen("dragleave", (event) => mark(event.relatedTarget !== null && area.contains(event.relatedTarget)));
  listen("drop", (event) => {
    event.preventDefault();
    mark(false);
    const files = [...event.dataTransfer.files];
    if (files.length) look(files);
    else complain(words.dropped, words.notAFile);
  });
}

/** @param {Document | HTMLElement} area @param {{ look: Look, signal: AbortSignal }} page */
export function acceptPastes(area, { look, signal }) {
  const paste = (/** @type {any} */ event) => {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    look(files);
  };
  area.addEventListener("paste", paste, { signal });
}
