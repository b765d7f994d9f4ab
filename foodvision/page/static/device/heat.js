// What the model looked at: the part of a photo that it reads, and what speaks for an answer there. As area.py and
// heat.py find it.

/** @import { Step } from "./steps.js" */

const MOST = 255; // of heat

/**
 * The part of an upright photo that is left after the steps, as shares of its width and height: left, top, right, bottom.
 * @param {number[]} size width and height
 * @param {Step[]} steps
 */
export function areaRead(size, steps) {
  const [[left, right], [top, bottom]] = [0, 1].map((axis) => spanOf(axis, size, steps));
  return [left, top, right, bottom];
}

/** Start and end along one axis: 0 is width, 1 is height. @param {number} axis @param {number[]} size @param {Step[]} steps */
function spanOf(axis, size, steps) {
  let [start, length, sides] = [0, 1, size];
  for (const step of steps) {
    const ratios = sides.map((has, place) => has / step.size[place]);
    const scales = { crop: Math.min(...ratios), pad: Math.max(...ratios), squish: ratios[axis], center_crop: 1 };
    const kept = (length * scales[step.do] * step.size[axis]) / sides[axis];
    start += (length - kept) / 2;
    length = kept;
    sides = step.size;
  }
  return [Math.max(0, start), Math.min(1, start + length)];
}

/**
 * Rows of 0 to 255: where the classes of an answer are seen rather than the others.
 * @param {number[]} classes their places in the network's output
 * @param {number[]} probabilities of all classes
 * @param {{ data: ArrayLike<number>, dims: readonly number[] }} maps one for each class: 1, classes, rows, columns
 */
export function heatOf(classes, probabilities, { data, dims }) {
  const [rows, columns] = dims.slice(-2);
  const sum = classes.reduce((total, place) => total + probabilities[place], 0);
  const weights = probabilities.map((probability) => -probability);
  for (const place of classes) weights[place] += sum && probabilities[place] / sum;
  const heat = Array.from({ length: rows * columns }, (_, at) =>
    Math.max(
      0,
      weights.reduce((total, weight, place) => total + weight * data[place * rows * columns + at], 0),
    ),
  );
  const most = Math.max(...heat) || 1;
  const shares = heat.map((value) => Math.round((MOST * value) / most));
  return Array.from({ length: rows }, (_, row) => shares.slice(row * columns, (row + 1) * columns));
}
