// The packed model: the length of its graph in four bytes, the graph, and its weights in half precision, first the low
// bytes of all and then the high bytes.

export const WEIGHTS = "weights"; // what the graph calls the file that they are in

/**
 * The graph, and its weights in single precision.
 * @param {Uint8Array<ArrayBuffer>} packed
 */
export function unpackModel(packed) {
  const start = 4 + new DataView(packed.buffer, packed.byteOffset).getUint32(0, true);
  return { graph: packed.slice(4, start), weights: new Uint8Array(toSingle(packed.subarray(start)).buffer) };
}

/** @param {Uint8Array} halves finite numbers: a sign, 5 bits of exponent and 10 of fraction */
function toSingle(halves) {
  const singles = new Float32Array(halves.length / 2);
  const bits = new Uint32Array(singles.buffer);
  const highs = halves.subarray(singles.length);
  for (let at = 0; at < singles.length; at++) {
    bits[at] = ((highs[at] & 0x80) << 24) | ((highs[at] & 0x7f) << 21) | (halves[at] << 13);
    singles[at] *= 2 ** 112; // exponents count from -127 here, and from -15 there
  }
  return singles;
}
