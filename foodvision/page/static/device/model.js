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

/** @param {Uint16Array} halves finite numbers: a sign, 5 bits of exponent and 10 of fraction */
export function toSingle(halves) {
  const singles = new Float32Array(halves.length);
  const bits = new Uint32Array(singles.buffer);
  for (let at = 0; at < halves.length; at++) {
    bits[at] = ((halves[at] & 0x8000) << 16) | ((halves[at] & 0x7fff) << 13);
    singles[at] *= 2 ** 112; // exponents count from -127 here, and from -15 there
  }
  return singles;
}
