// Decodes a photo for the model on this device as the server does, so that both give the same answer.
import { decodeReduced, decodeScaled, naturalSides } from "./photo.js";

const JPEG_SCALES = [8, 4, 2]; // that Pillow decodes at, and so do we, where the browser lets us
const MAX_DECODED_PIXELS = 2 ** 24; // on a canvas in iOS
const PROFILE_WITHIN = 2 ** 16; // bytes from the start of the file
const PROFILE_MARKS = ["ICC_PROFILE", "iCCP", "ICCP", "colrprof", "colrrICC", "cICP", "gAMA"]; // JPEG, PNG, WebP, AVIF

/**
 * The upright picture, with a short side of at least `atLeast` pixels if the photo has so many. Rejects what the browser
 * can't decode.
 * @param {Blob} file
 * @param {number} atLeast
 * @returns {Promise<ImageBitmap | VideoFrame>}
 */
export async function decodeExactly(file, atLeast) {
  const sides = await naturalSides(file);
  const short = Math.min(...sides);
  const scale = JPEG_SCALES.find((candidate) => candidate * atLeast <= short);
  if (scale) {
    const data = await file.arrayBuffer();
    const reduced = await decodeReduced(file, data, sides, short / scale).catch(() => null);
    if (reduced) return reduced;
  }
  if (sides[0] * sides[1] > MAX_DECODED_PIXELS) {
    const factor = Math.max(atLeast / short, Math.sqrt(MAX_DECODED_PIXELS / (sides[0] * sides[1])));
    const size = sides.map((side) => Math.floor(Math.min(1, factor) * side));
    const scaled = await decodeScaled(file, size).catch(() => null);
    if (scaled) return scaled;
  }
  const colorSpaceConversion = (await hasProfile(file)) ? "default" : "none"; // which alone is exact
  return createImageBitmap(file, { colorSpaceConversion, imageOrientation: "from-image" });
}

/** Whether the file may say how its colours are meant. @param {Blob} file */
async function hasProfile(file) {
  const bytes = new Uint8Array(await file.slice(0, PROFILE_WITHIN).arrayBuffer());
  const text = new TextDecoder("latin1").decode(bytes);
  return PROFILE_MARKS.some((mark) => text.includes(mark));
}
