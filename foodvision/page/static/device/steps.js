// Prepares a photo for the model as preprocessing.py does, to the bit.
import { resize } from "./pillow_resize.js";

/** @import { Pixels } from "./pillow_resize.js" */

/**
 * @typedef {object} Step
 * @property {"crop" | "pad" | "squish" | "center_crop"} do
 * @property {[number, number]} size
 * @property {number} resample
 * @property {"zeros" | "border" | "reflection"} pad_mode
 */

/** @type {Record<Step["do"], (picture: Pixels, step: Step) => Pixels>} */
const STEPS = {
  crop: (picture, step) => cutAndResize(picture, step, Math.min),
  pad: (picture, step) => cutAndResize(picture, step, Math.max),
  squish: (picture, { size, resample }) => resize(picture, size, resample),
  center_crop: (picture, { size, pad_mode }) =>
    cut(picture, [floorHalf(picture.width - size[0]), floorHalf(picture.height - size[1])], size, pad_mode),
};

/**
 * A picture after the given steps.
 * @param {Pixels} picture
 * @param {Step[]} steps
 */
export function prepare(picture, steps) {
  return steps.reduce((result, step) => STEPS[step.do](result, step), picture);
}

/**
 * Normalised pixels, channel by channel. All arithmetic is in single precision, as NumPy's.
 * @param {Pixels} picture
 * @param {{ mean: number[], std: number[] }} statistics
 */
export function toTensor({ data, width, height }, { mean, std }) {
  const count = width * height;
  const tensor = new Float32Array(3 * count);
  for (let channel = 0; channel < 3; channel++) {
    const [centre, spread] = [mean, std].map((statistic) => Math.fround(255 * Math.fround(statistic[channel])));
    const normalised = Float32Array.from({ length: 256 }, (_, value) => Math.fround(value - centre) / spread);
    for (let at = 0, from = channel, to = channel * count; at < count; at++, from += 3) {
      tensor[to++] = normalised[data[from]];
    }
  }
  return tensor;
}

/**
 * The same picture without its opacity: transparent parts become white.
 * @param {{ data: Uint8ClampedArray, width: number, height: number }} picture
 * @returns {Pixels}
 */
export function toRgb({ data: source, width, height }) {
  const data = new Uint8ClampedArray(3 * width * height);
  for (let from = 0, to = 0; from < source.length; from += 4, to += 3) {
    if (source[from + 3] === 255) {
      data[to] = source[from];
      data[to + 1] = source[from + 1];
      data[to + 2] = source[from + 2];
      continue;
    }
    const opacity = source[from + 3] / 255;
    const white = 255 * (1 - opacity);
    data[to] = opacity * source[from] + white;
    data[to + 1] = opacity * source[from + 1] + white;
    data[to + 2] = opacity * source[from + 2] + white;
  }
  return { data, width, height };
}

/** @param {number} pixels */
function floorHalf(pixels) {
  return Math.floor(pixels / 2);
}

/** @param {Pixels} picture @param {Step} step @param {(...scales: number[]) => number} fit */
function cutAndResize(picture, { size, resample, pad_mode }, fit) {
  const has = [picture.width, picture.height];
  const scale = fit(...has.map((side, axis) => side / size[axis]));
  const takes = size.map((side) => Math.trunc(scale * side));
  const corner = takes.map((side, axis) => Math.trunc(0.5 * (has[axis] - side)));
  return resize(cut(picture, corner, takes, pad_mode), size, resample);
}

/**
 * The part of this size whose corner (left, top) is given, padded where it extends beyond the picture.
 * @param {Pixels} picture
 * @param {number[]} corner
 * @param {number[]} size
 * @param {Step["pad_mode"]} padMode
 * @returns {Pixels}
 */
function cut(picture, [left, top], [width, height], padMode) {
  const data = new Uint8Array(3 * width * height);
  if (left >= 0 && top >= 0 && left + width <= picture.width && top + height <= picture.height) {
    for (let y = 0; y < height; y++) {
      const from = 3 * ((y + top) * picture.width + left);
      data.set(picture.data.subarray(from, from + 3 * width), 3 * y * width);
    }
    return { data, width, height };
  }
  const columns = Array.from({ length: width }, (_, x) => sourceOf(x + left, picture.width, padMode));
  for (let y = 0, to = 0; y < height; y++) {
    const row = sourceOf(y + top, picture.height, padMode);
    for (let x = 0; x < width; x++, to += 3) {
      if (row < 0 || columns[x] < 0) continue;
      const from = 3 * (row * picture.width + columns[x]);
      for (let channel = 0; channel < 3; channel++) data[to + channel] = picture.data[from + channel];
    }
  }
  return { data, width, height };
}

/**
 * Which of `count` rows or columns is shown at a place, which may lie outside; -1 for black.
 * @param {number} place
 * @param {number} count
 * @param {Step["pad_mode"]} padMode
 */
function sourceOf(place, count, padMode) {
  if (place >= 0 && place < count) return place;
  if (padMode === "zeros") return -1;
  if (padMode === "border" || count === 1) return Math.min(Math.max(place, 0), count - 1);
  const period = 2 * (count - 1);
  const within = ((place % period) + period) % period;
  return Math.min(within, period - within);
}
