// Buttons that copy answers, and save them as JSON or pictures.
import { button, element } from "./element.js";
import { toPictures } from "./picture.js";
import { copy } from "./share.js";
import { labels, NOT_SAVED, notCopied, saved } from "./words.js";

/** @import { Classes, Photo } from "./types" */

const REVOKE_AFTER_MS = 600_000; // iOS asks before downloading, and fetches the file only then
const BETWEEN_DOWNLOADS_MS = 500; // browsers drop downloads that begin at the same time

/**
 * `answered` returns the photos that are done, `classes` what the model calls its classes.
 * @param {() => Photo[]} answered
 * @param {() => Classes} classes
 */
export function saveButtons(answered, classes) {
  const said = element("span", { role: "status" });
  const draw = button(labels.savePicture, async () => {
    draw.disabled = true;
    said.textContent = await savePictures(answered(), classes()).catch(() => NOT_SAVED);
    draw.disabled = false;
  });
  return element(
    "div",
    { class: "fv-saves" },
    button("Copy as JSON", async () => (said.textContent = await copy(toJson(answered()), notCopied.json))),
    button("Save as JSON", () =>
      download(new Blob([toJson(answered())], { type: "application/json" }), "foodvision.json"),
    ),
    draw,
    said,
  );
}

/**
 * For each photo its name, and the fields of its prediction or its error.
 * @param {Photo[]} photos
 */
export function toJson(photos) {
  const answers = photos.map(({ name, prediction, error }) => ({ photo: name, ...(error ? { error } : prediction) }));
  return JSON.stringify(answers, null, 2);
}

/** @param {Photo[]} photos @param {Classes} classes */
async function savePictures(photos, classes) {
  let count = 0;
  for await (const picture of toPictures(photos, classes)) {
    if (count) await new Promise((resolve) => setTimeout(resolve, BETWEEN_DOWNLOADS_MS));
    download(picture, `foodvision${count ? `-${count + 1}` : ""}.png`);
    count++;
  }
  return saved(count);
}

/** @param {Blob} blob @param {string} name */
function download(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name, hidden: "" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_AFTER_MS);
}
