// Draws answers as pictures to save, with a tile for each photo.
import { describe } from "./describe.js";
import { element } from "./element.js";
import { contextOf, toBlob } from "./photo.js";

/** @import { Classes, Photo } from "./types" */

const TILE = { width: 600, photo: 450, height: 800, margin: 32, bar: 50 }; // pixels
const FOOT = 64; // pixels, for the page's name and address
const COLOURS = { paper: "#fffaf4", ink: "#221a14", quiet: "#6b5d52", faint: "#eee2d6", accent: "#b4400c" };
const MAX_BARS = 3;
const COLUMNS = 3;
const MAX_PIXELS = 2 ** 24; // in a canvas on iOS; a larger one stays empty
const MAX_SIDE = 2 ** 14; // pixels, of a canvas in Safari; other browsers allow more

/**
 * How many photos to draw in each picture: as few pictures as possible, of similar size, and no canvas larger than
 * browsers allow.
 * @param {number} photos
 */
export function layOutPictures(photos) {
  const columns = Math.min(COLUMNS, photos);
  const rows = Math.floor((Math.min(MAX_SIDE, MAX_PIXELS / (columns * TILE.width)) - FOOT) / TILE.height);
  const pictures = Math.ceil(photos / (columns * rows));
  const most = columns * Math.ceil(photos / pictures / columns);
  return Array.from({ length: pictures }, (_, place) => Math.min(most, photos - place * most)).filter(
    (count) => count > 0,
  );
}

/**
 * PNGs of the answered photos, one at a time, because a browser may only have the memory for one. Throws if it hasn't.
 * @param {Photo[]} photos
 * @param {Classes} classes
 * @param {{ big: boolean, address: string }} page
 */
export async function* toPictures(photos, classes, page) {
  const answered = photos.filter(({ prediction }) => prediction);
  for (const count of layOutPictures(answered.length)) yield toPicture(answered.splice(0, count), classes, page);
}

/** @param {Photo[]} photos @param {Classes} classes @param {{ big: boolean, address: string }} page */
async function toPicture(photos, classes, { big, address }) {
  const columns = Math.min(COLUMNS, photos.length);
  const rows = Math.ceil(photos.length / columns);
  const [width, height] = [columns * TILE.width, rows * TILE.height + FOOT];
  const canvas = element("canvas", { width, height });
  const context = contextOf(canvas);
  context.fillStyle = COLOURS.paper;
  context.fillRect(0, 0, width, height);
  for (const [place, photo] of photos.entries()) {
    context.save();
    context.translate((place % columns) * TILE.width, Math.floor(place / columns) * TILE.height);
    context.beginPath();
    context.rect(0, 0, TILE.width, TILE.height);
    context.clip();
    await drawTile(context, photo, classes, big);
    context.restore();
  }
  drawFoot(context, [width, height], address);
  const picture = await toBlob(canvas, "image/png");
  canvas.width = 0; // otherwise Safari keeps its memory for a while
  if (!picture) throw new Error("The browser lacks the memory.");
  return picture;
}

/** @param {CanvasRenderingContext2D} context @param {Photo} photo @param {Classes} classes @param {boolean} big */
async function drawTile(context, { jpeg, prediction }, classes, big) {
  if (!jpeg || !prediction) return;
  const { heading, likely, bars } = describe(prediction, classes, big);
  await drawCovering(context, jpeg, TILE.width, TILE.photo);
  let y = TILE.photo + 52;
  context.fillStyle = COLOURS.ink;
  context.font = "700 36px system-ui, sans-serif";
  y = drawLines(context, heading, y, 42);
  context.font = "20px system-ui, sans-serif";
  y = drawLines(context, likely, y, 28);
  const room = Math.max(0, Math.floor((TILE.height - y) / TILE.bar));
  for (const [place, bar] of bars.slice(0, Math.min(MAX_BARS, room)).entries()) {
    drawBar(context, bar, y + place * TILE.bar, place ? COLOURS.quiet : COLOURS.accent);
  }
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {number} y @param {number} height */
function drawLines(context, text, y, height) {
  const width = TILE.width - 2 * TILE.margin;
  for (const line of wrap(context, text, width)) {
    context.fillText(line, TILE.margin, y, width); // a long word is squeezed
    y += height;
  }
  return y;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{ title: string, share: number, percent: string }} bar
 * @param {number} y
 * @param {string} color
 */
function drawBar(context, { title, share, percent }, y, color) {
  const { width, margin } = TILE;
  const line = width - 2 * margin;
  context.fillStyle = COLOURS.quiet;
  const right = line - context.measureText(percent).width;
  context.fillText(title, margin, y + 24, right - margin);
  context.fillText(percent, margin + right, y + 24);
  context.fillStyle = COLOURS.faint;
  context.fillRect(margin, y + 34, line, 8);
  context.fillStyle = color;
  context.fillRect(margin, y + 34, line * share, 8);
}

/** The page's name and address. @param {CanvasRenderingContext2D} context @param {number[]} size @param {string} address */
function drawFoot(context, [width, height], address) {
  const y = height - FOOT / 2 + 8;
  context.fillStyle = COLOURS.accent;
  context.font = "700 24px system-ui, sans-serif";
  const name = document.title || "FoodVision";
  context.fillText(name, TILE.margin, y, width - 2 * TILE.margin);
  const left = 2 * TILE.margin + context.measureText(name).width;
  context.fillStyle = COLOURS.quiet;
  context.font = "20px system-ui, sans-serif";
  const room = width - TILE.margin - left;
  if (address && room > 0) context.fillText(address.replace(/^https?:\/\/|\/$/g, ""), left, y, room);
}

// Draws the middle of the photo, just large enough to fill the space.
/** @param {CanvasRenderingContext2D} context @param {Blob} jpeg @param {number} width @param {number} height */
async function drawCovering(context, jpeg, width, height) {
  const bitmap = await createImageBitmap(jpeg);
  const scale = Math.max(width / bitmap.width, height / bitmap.height);
  const [w, h] = [width / scale, height / scale];
  context.drawImage(bitmap, (bitmap.width - w) / 2, (bitmap.height - h) / 2, w, h, 0, 0, width, height);
  bitmap.close();
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {number} width */
function wrap(context, text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
