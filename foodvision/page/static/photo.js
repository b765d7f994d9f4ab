// Decodes and shrinks photos in the browser.

import { isComplete } from "./complete.js";
import { element } from "./element.js";

let reduces = true; // whether this browser's ImageDecoder respects the size it is asked for, as far as we know

/**
 * An upright JPEG of the photo, with a short side of at most `shortSide` pixels. Rejects a photo that the browser can't
 * decode completely: the answerer then says what is wrong with it.
 * @param {Blob} file
 * @param {number} shortSide
 */
export async function shrink(file, shortSide) {
  const [data, sides] = await Promise.all([file.arrayBuffer(), naturalSides(file).catch(() => null)]);
  if (!isComplete(new Uint8Array(data))) throw new Error("The file is cut short.");
  const picture = await decode(file, data, sides, shortSide);
  const [width, height] = fit(sidesOf(picture), shortSide);
  const canvas = element("canvas", { width, height });
  const context = contextOf(canvas);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  picture.close();
  if (isBlank(context)) throw new Error("The browser decoded nothing.");
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "white"; // behind transparent parts, which JPEG would make black
  context.fillRect(0, 0, width, height);
  const jpeg = await toBlob(canvas, "image/jpeg");
  if (!jpeg) throw new Error("The browser lacks the memory.");
  return jpeg;
}

/** @param {Blob} file @param {ArrayBuffer} data @param {number[] | null} sides @param {number} shortSide */
async function decode(file, data, sides, shortSide) {
  const scaled = sides && Math.min(...sides) > shortSide;
  return (
    (scaled && (await decodeReduced(file, data, sides, shortSide).catch(() => null))) ||
    (scaled && (await decodeScaled(file, fit(sides, shortSide)).catch(() => null))) ||
    createImageBitmap(file, { imageOrientation: "from-image" })
  );
}

/** Width and height of the upright picture, which isn't decoded yet. @param {Blob} file */
export async function naturalSides(file) {
  const { naturalWidth, naturalHeight } = await load(file);
  return [naturalWidth, naturalHeight];
}

/**
 * A VideoFrame of a large JPEG in the fewest eighths of its size that leave the short side `shortSide`: libjpeg decodes
 * so in half the time, and a phone's photo takes 3 MB instead of 48. Null where there is nothing to gain, or no decoder:
 * browsers offer it on https and localhost only, and one that ignores the size may ignore which side is up, too.
 * @param {Blob} file
 * @param {ArrayBuffer} data
 * @param {number[]} sides
 * @param {number} shortSide
 */
export async function decodeReduced(file, data, sides, shortSide) {
  if (file.type !== "image/jpeg" || !window.ImageDecoder || !reduces) return null;
  const eighths = Math.ceil((8 * shortSide) / Math.min(...sides));
  if (eighths >= 8) return null;
  const [desiredWidth, desiredHeight] = sides.map((side) => Math.ceil((side * eighths) / 8));
  const decoder = new ImageDecoder({ data, type: file.type, desiredWidth, desiredHeight });
  const { image } = await decoder.decode().finally(() => decoder.close());
  if (image.displayWidth === desiredWidth && image.displayHeight === desiredHeight) return image;
  image.close();
  reduces = false;
  return null;
}

/**
 * An ImageBitmap that was scaled down while it was decoded. Null if the browser turned it after scaling, which would
 * distort it.
 * @param {Blob} file
 * @param {number[]} size
 */
export async function decodeScaled(file, [resizeWidth, resizeHeight]) {
  const options = { resizeWidth, resizeHeight, resizeQuality: /** @type {const} */ ("high") };
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image", ...options });
  if (bitmap.width === resizeWidth && bitmap.height === resizeHeight) return bitmap;
  bitmap.close();
  return null;
}

/** @param {ImageBitmap | VideoFrame} picture */
function sidesOf(picture) {
  return "displayWidth" in picture ? [picture.displayWidth, picture.displayHeight] : [picture.width, picture.height];
}

/** @param {number[]} sides @param {number} shortSide */
function fit(sides, shortSide) {
  const scale = Math.min(1, shortSide / Math.min(...sides));
  return sides.map((side) => Math.round(scale * side));
}

// Whether every pixel is transparent: WebKit gives that for a photo that it can't decode. One pixel usually settles it.
/** @param {CanvasRenderingContext2D} context */
function isBlank(context) {
  const { width, height } = context.canvas;
  const blank = (/** @type {number} */ across, /** @type {number} */ down) =>
    context.getImageData(0, 0, across, down).data.every((value, place) => place % 4 < 3 || !value);
  return blank(1, 1) && blank(width, height);
}

/** @param {HTMLCanvasElement} canvas */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The browser lacks the memory.");
  return context;
}

/** @param {HTMLCanvasElement} canvas @param {string} type @returns {Promise<Blob | null>} */
export function toBlob(canvas, type) {
  return new Promise((resolve) => canvas.toBlob(resolve, type, 0.9));
}

/** An <img> of a JPEG, ready to show. @param {Blob} jpeg @param {string} alt */
export async function toImage(jpeg, alt) {
  const image = await load(jpeg, alt);
  await image.decode();
  return image;
}

/** @param {Blob} file @param {string} alt @returns {Promise<HTMLImageElement>} */
async function load(file, alt = "") {
  const image = element("img", { alt, src: URL.createObjectURL(file) });
  try {
    await new Promise((resolve, reject) => Object.assign(image, { onload: resolve, onerror: reject }));
    return image;
  } finally {
    URL.revokeObjectURL(image.src);
  }
}
