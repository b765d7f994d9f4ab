// Resizes pictures as Pillow does, to the bit: antialiased, in two passes, with weights in fixed point.
// See Resample.c in Pillow's sources.

const PRECISION_BITS = 22;
const ROUNDING = 2 ** (PRECISION_BITS - 1);
const NEAREST = 0;

/** @typedef {{ reach: number, weigh: (x: number) => number }} Filter How far it reaches, and the weight at a distance. */

/** Pillow's filters, by the number of its `Resampling`. @type {Record<number, Filter>} */
const FILTERS = {
  1: { reach: 3, weigh: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) }, // Lanczos
  2: { reach: 1, weigh: (x) => Math.max(0, 1 - Math.abs(x)) }, // bilinear
  3: { reach: 2, weigh: (x) => bicubic(Math.abs(x)) },
  4: { reach: 0.5, weigh: (x) => Number(x > -0.5 && x <= 0.5) }, // box
  5: { reach: 1, weigh: (x) => hamming(Math.abs(x)) },
};
const [HAMMING_BASE, HAMMING_SWING] = [0.54, 0.46].map(Math.fround); // Pillow has them in single precision

/** @param {number} x */
function sinc(x) {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

/** @param {number} x */
function bicubic(x) {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((x - 5) * x + 8) * x * -0.5 + 2;
  return 0;
}

/** @param {number} x */
function hamming(x) {
  return x < 1 ? sinc(x) * (HAMMING_BASE + HAMMING_SWING * Math.cos(x * Math.PI)) : 0;
}

/**
 * @typedef {object} Pixels A picture of three bytes a pixel.
 * @property {Uint8Array | Uint8ClampedArray} data
 * @property {number} width
 * @property {number} height
 */

/**
 * The picture at another size. `resample` is the number of Pillow's filter.
 * @param {Pixels} picture
 * @param {number[]} size width and height
 * @param {number} resample
 * @returns {Pixels}
 */
export function resize(picture, [width, height], resample) {
  if (picture.width === width && picture.height === height) return picture;
  if (resample === NEAREST) return nearest(picture, width, height);
  const filter = FILTERS[resample];
  const across = (/** @type {Pixels} */ has) => (has.width === width ? has : resizeAcross(has, width, filter));
  const down = (/** @type {Pixels} */ has) => (has.height === height ? has : resizeDown(has, height, filter));
  return isDownFirst(picture, width, height) ? across(down(picture)) : down(across(picture));
}

// The order changes how results are rounded. Measured with Pillow 13.0, whose documentation doesn't mention it.
/** @param {Pixels} picture @param {number} width @param {number} height */
function isDownFirst(picture, width, height) {
  return height < picture.height && picture.height - height > 2 * (picture.width - width);
}

/** @param {Pixels} picture @param {number} width @param {number} height @returns {Pixels} */
function nearest(picture, width, height) {
  const data = new Uint8Array(3 * width * height);
  const columns = nearestOf(picture.width, width);
  nearestOf(picture.height, height).forEach((row, y) => {
    columns.forEach((column, x) => {
      const from = 3 * (row * picture.width + column);
      data.set(picture.data.subarray(from, from + 3), 3 * (y * width + x));
    });
  });
  return { data, width, height };
}

// Adds up, as Pillow does, although that is less exact.
/** @param {number} had @param {number} wants */
function nearestOf(had, wants) {
  const scale = had / wants;
  let place = 0.5 * scale;
  return Array.from({ length: wants }, () => {
    const source = Math.floor(place);
    place += scale;
    return source;
  });
}

/** @param {Pixels} picture @param {number} width @param {Filter} filter */
function resizeAcross({ data: source, width: had, height }, width, filter) {
  const { starts, counts, weights, most } = weightsOf(had, width, filter);
  const data = new Uint8ClampedArray(3 * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      let red = ROUNDING;
      let green = ROUNDING;
      let blue = ROUNDING;
      const end = x * most + counts[x];
      for (let k = x * most, from = 3 * (y * had + starts[x]); k < end; k++, from += 3) {
        red += Math.imul(source[from], weights[k]);
        green += Math.imul(source[from + 1], weights[k]);
        blue += Math.imul(source[from + 2], weights[k]);
      }
      data[to] = red >> PRECISION_BITS;
      data[to + 1] = green >> PRECISION_BITS;
      data[to + 2] = blue >> PRECISION_BITS;
    }
  }
  return { data, width, height };
}

// Line by line, which is the order in memory.
/** @param {Pixels} picture @param {number} height @param {Filter} filter */
function resizeDown({ data: source, width, height: had }, height, filter) {
  const { starts, counts, weights, most } = weightsOf(had, height, filter);
  const line = 3 * width;
  const data = new Uint8ClampedArray(line * height);
  const sums = new Int32Array(line);
  for (let y = 0; y < height; y++) {
    sums.fill(ROUNDING);
    for (let k = 0, from = starts[y] * line; k < counts[y]; k++) {
      const weight = weights[y * most + k];
      for (let x = 0; x < line; x++) sums[x] += Math.imul(source[from++], weight);
    }
    for (let x = 0, to = y * line; x < line; x++) data[to++] = sums[x] >> PRECISION_BITS;
  }
  return { data, width, height };
}

/**
 * For each pixel of the result, where its sources start, how many they are, and their weights, `most` places apart.
 * @param {number} had
 * @param {number} wants
 * @param {Filter} filter
 */
function weightsOf(had, wants, { reach, weigh }) {
  const scale = had / wants;
  const stretch = Math.max(scale, 1);
  const support = reach * stretch;
  const most = 2 * Math.ceil(support) + 1;
  const [starts, counts] = [new Int32Array(wants), new Int32Array(wants)];
  const weights = new Int32Array(wants * most);
  const inverse = 1 / stretch;
  for (let place = 0; place < wants; place++) {
    const centre = (place + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(had, Math.trunc(centre + support + 0.5)) - start;
    const row = Array.from({ length: count }, (_, x) => weigh((x + start - centre + 0.5) * inverse));
    const sum = row.reduce((total, weight) => total + weight, 0);
    row.forEach((weight, x) => {
      weights[place * most + x] = inFixedPoint(sum ? weight / sum : weight);
    });
    starts[place] = start;
    counts[place] = count;
  }
  return { starts, counts, weights, most };
}

/** @param {number} weight */
function inFixedPoint(weight) {
  return Math.trunc(weight * 2 ** PRECISION_BITS + Math.sign(weight) * 0.5);
}
