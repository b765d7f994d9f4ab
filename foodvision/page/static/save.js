// Answers to take along: as JSON, and as a picture.
import { button, element, percent } from "./element.js";
import { toBlob } from "./photo.js";
import { copied } from "./share.js";

// `answered` gives the photos that are done.
export function saveButtons(answered) {
  const copy = button("Copy as JSON", async () => {
    copy.textContent = await copied(toJson(answered()));
    setTimeout(() => (copy.textContent = "Copy as JSON"), 2000);
  });
  return element(
    "div",
    { class: "fv-saves", "aria-live": "polite" },
    copy,
    button("Save as JSON", () => download(new Blob([toJson(answered())]), "foodvision.json")),
    button("Save as a picture", async () => download(await toPicture(answered()), "foodvision.png")),
  );
}

// The fields of `python -m foodvision --json`.
function toJson(photos) {
  const answers = photos.map(({ name, answer, error }) =>
    error ? { photo: name, error } : { photo: name, ...pick(answer, "label", "probabilities", "seconds") },
  );
  return JSON.stringify(answers, null, 2);
}

function download(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href)); // the download has begun by then
}

const TILE = { width: 600, photo: 450, height: 800, margin: 32 };

// A PNG of the answered photos, a tile for each.
async function toPicture(photos) {
  const answered = photos.filter((photo) => photo.answer);
  const columns = Math.min(3, answered.length);
  const rows = Math.ceil(answered.length / columns);
  const canvas = element("canvas", { width: columns * TILE.width, height: rows * TILE.height });
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const [place, photo] of answered.entries()) {
    context.save();
    context.translate((place % columns) * TILE.width, Math.floor(place / columns) * TILE.height);
    await drawTile(context, photo);
    context.restore();
  }
  return toBlob(canvas, "image/png");
}

async function drawTile(context, { jpeg, answer }) {
  const { width, photo, margin } = TILE;
  await drawCovering(context, jpeg, width, photo);
  const line = width - 2 * margin;
  let y = photo + 52;
  context.fillStyle = "#1c1917";
  context.font = "600 32px system-ui, sans-serif";
  for (const words of wrap(context, answer.heading, line)) {
    context.fillText(words, margin, y);
    y += 38;
  }
  context.font = "20px system-ui, sans-serif";
  for (const words of wrap(context, `${percent(answer.probability)} sure. ${answer.doubt}`, line)) {
    context.fillText(words, margin, y);
    y += 28;
  }
  for (const [place, { name, probability }] of answer.bars.slice(0, 3).entries()) {
    y += 24;
    const share = percent(probability);
    context.fillStyle = "#57534e";
    context.fillText(name, margin, y);
    context.fillText(share, width - margin - context.measureText(share).width, y);
    y += 10;
    context.fillStyle = "#e7e5e4";
    context.fillRect(margin, y, line, 8);
    context.fillStyle = place ? "#57534e" : "#b4400c";
    context.fillRect(margin, y, line * probability, 8);
    y += 16;
  }
}

// The middle of the photo, as large as fills the space.
async function drawCovering(context, jpeg, width, height) {
  const bitmap = await createImageBitmap(jpeg);
  const scale = Math.max(width / bitmap.width, height / bitmap.height);
  const [w, h] = [width / scale, height / scale];
  context.drawImage(bitmap, (bitmap.width - w) / 2, (bitmap.height - h) / 2, w, h, 0, 0, width, height);
  bitmap.close();
}

function wrap(context, text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function pick(object, ...names) {
  return Object.fromEntries(names.map((name) => [name, object[name]]));
}
