// Saves answers: as JSON, as a table, or as pictures.
import { element } from "./element.js";
import { toPictures } from "./picture.js";
import { words } from "./words.js";

/** @import { Classes, Photo } from "./types" */

const REVOKE_AFTER_MS = 600_000; // iOS asks before downloading, and fetches the file only then
const BETWEEN_DOWNLOADS_MS = 500; // browsers drop downloads that begin at the same time
const FORMULA = /^[=+\-@\t\r]/; // what a spreadsheet would run

/**
 * For each photo its name, and the fields of its prediction or its error.
 * @param {Photo[]} photos
 */
export function toJson(photos) {
  const answers = photos.map(({ name, prediction, error }) => ({ photo: name, ...(error ? { error } : prediction) }));
  return JSON.stringify(answers, null, 2);
}

/** @param {Photo[]} photos */
export function saveJson(photos) {
  download(new Blob([toJson(photos)], { type: "application/json" }), "foodvision.json");
}

/**
 * A table with the columns that `foodvision predict` writes, and those of the likeliest dish if the model knows dishes.
 * @param {Photo[]} photos
 */
export function toCsv(photos) {
  const answered = photos.flatMap(({ prediction }) => prediction ?? []);
  const names = Object.keys(answered[0]?.probabilities ?? {});
  const withDish = answered.some(({ dishes }) => dishes);
  const header = ["photo", "label", "probability", ...names.map((name) => `probability_${name}`), "unsure"];
  const rows = photos.map(({ name, prediction, error }) => {
    const { label, probability, probabilities = {}, unsure, dishes = {} } = prediction ?? {};
    const dish = withDish ? Object.keys(dishes).slice(0, 1) : [];
    return [name, label, probability, ...names.map((key) => probabilities[key]), unsure, error, ...dish];
  });
  return [[...header, "error", ...(withDish ? ["dish"] : [])], ...rows]
    .map((row) => row.map(cell).join(","))
    .join("\r\n");
}

/** @param {Photo[]} photos */
export function saveCsv(photos) {
  download(new Blob(["\ufeff", toCsv(photos)], { type: "text/csv" }), "foodvision.csv"); // Excel needs the mark
}

/** @param {string | number | boolean | undefined} value */
function cell(value = "") {
  if (typeof value !== "string") return String(value);
  const harmless = FORMULA.test(value) ? `'${value}` : value;
  return /[",;\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/**
 * Saves pictures of the answers; returns the sentence that says so.
 * @param {Photo[]} photos
 * @param {Classes} classes
 * @param {{ big: boolean, address: string }} page
 */
export async function savePictures(photos, classes, page) {
  let count = 0;
  for await (const picture of toPictures(photos, classes, page)) {
    if (count) await new Promise((resolve) => setTimeout(resolve, BETWEEN_DOWNLOADS_MS));
    download(picture, `foodvision${count ? `-${count + 1}` : ""}.png`);
    count++;
  }
  return count === 1 ? words.saved : words.savedSeveral(count);
}

/** @param {Blob} blob @param {string} name */
function download(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name, hidden: "" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_AFTER_MS);
}
