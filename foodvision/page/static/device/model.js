// The packed model: the length of its graph in four bytes, the graph, and its weights in half precision.

export const WEIGHTS = "weights"; // what the graph calls the file that they are in

/**
 * The graph, and its weights in single precision.
 * @param {Uint8Array<ArrayBuffer>} packed
 */
export function unpackModel(packed) {
  const start = 4 + new DataView(packed.buffer, packed.byteOffset).getUint32(0, true);
  const halves = new Uint16Array(packed.slice(start).buffer);
  return { graph: packed.slice(4, start), weights: new Uint8Array(toSingle(halves).buffer) };
}

/** @param {Uint16Array} halves finite numbers */
export function toSingle(halves) {
  const all = Float32Array.from({ length: 2 ** 16 }, (_, bits) => numberOf(bits));
  const singles = new Float32Array(halves.length);
  for (let at = 0; at < halves.length; at++) singles[at] = all[halves[at]];
  return singles;
}

/** Of a number in half precision: a sign, 5 bits of exponent and 10 of fraction. @param {number} bits */
function numberOf(bits) {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
}
