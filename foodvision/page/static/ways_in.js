// The ways a photo comes in: chosen, taken with a phone, dropped or pasted. Each calls `look` with files.
import { element } from "./element.js";

// A file input that covers its label.
export function chooser(text, attributes, look) {
  const input = element("input", { type: "file", accept: "image/*,.heic,.heif,.avif", ...attributes });
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    if (files.length) look(files);
  });
  return element("label", { class: "fv-button" }, input, text);
}

export function acceptDrops(area, marked, { look, complain, signal }) {
  const mark = (on) => marked.classList.toggle("fv-drop-here", on);
  const listen = (type, listener) => area.addEventListener(type, listener, { signal });
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
    else complain("What you dropped", "is not a file. Save the picture, and drop that.");
  });
}

export function acceptPastes(area, { look, signal }) {
  const paste = (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    look(files);
  };
  area.addEventListener("paste", paste, { signal });
}
