// Tells whether a photo is complete. If it was cut short, Firefox would show a part of it, and WebKit nothing.

const MARKER = 0xff;
const [END_OF_IMAGE, START_OF_SCAN] = [0xd9, 0xda];
const [EXTENSION, FRAME, TRAILER] = [0x21, 0x2c, 0x3b]; // of a GIF

/**
 * False if the bytes end before the photo does. Bytes after its end, such as a phone's video, and smaller pictures
 * inside it don't matter. True for formats that don't mark their end.
 * @param {Uint8Array} bytes
 */
export function isComplete(bytes) {
  const begins = String.fromCharCode(...bytes.subarray(0, 12));
  if (begins.startsWith("\xff\xd8\xff")) return jpegEnds(bytes);
  if (begins.startsWith("\x89PNG")) return chunksEnd(bytes, "IEND");
  if (begins.startsWith("RIFF")) return viewOf(bytes).getUint32(4, true) + 8 <= bytes.length;
  if (begins.startsWith("GIF8")) return gifEnds(bytes);
  if (begins.startsWith("BM")) return viewOf(bytes).getUint32(2, true) <= bytes.length;
  if (begins.slice(4, 8) === "ftyp") return boxesEnd(bytes);
  return true;
}

/** @param {Uint8Array} bytes */
function jpegEnds(bytes) {
  let at = 2;
  for (;;) {
    at = bytes.indexOf(MARKER, at);
    if (at < 0) return false;
    while (bytes[at] === MARKER) at++;
    const kind = bytes[at++];
    if (kind === undefined) return false;
    if (kind === END_OF_IMAGE) return true;
    if (hasLength(kind)) at += 256 * bytes[at] + bytes[at + 1]; // NaN beyond the end, which finds nothing
    if (!(at < bytes.length)) return false;
  }
}

// Pixels may contain 0xff, too, followed by a zero or a restart marker's number.
/** @param {number} kind */
function hasLength(kind) {
  return kind >= START_OF_SCAN || (kind > 1 && kind < 0xd0);
}

// Compressed pixels may contain the trailer's byte by chance, so blocks are followed from one to the next.
/** @param {Uint8Array} bytes */
function gifEnds(bytes) {
  let at = 13 + colourTable(bytes[10]);
  for (;;) {
    const kind = bytes[at];
    if (kind === FRAME) at += 11 + colourTable(bytes[at + 9]);
    else if (kind === EXTENSION) at += 2;
    else return kind === TRAILER;
    while (bytes[at]) at += bytes[at] + 1;
    at++;
  }
}

/** Bytes of the colour table that these flags announce. @param {number} flags */
function colourTable(flags) {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** @param {Uint8Array} bytes @param {string} last */
function chunksEnd(bytes, last) {
  const view = viewOf(bytes);
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    if (String.fromCharCode(...bytes.subarray(at + 4, at + 8)) === last) return true;
  }
  return false;
}

// AVIF and HEIC: boxes, each with its size, of which 0 means the rest and 1 that a longer number follows.
/** @param {Uint8Array} bytes */
function boxesEnd(bytes) {
  const view = viewOf(bytes);
  let at = 0;
  while (at + 8 <= bytes.length) {
    const size = view.getUint32(at);
    if (size === 0) return true;
    if (size === 1 && at + 16 > bytes.length) return false;
    const length = size === 1 ? Number(view.getBigUint64(at + 8)) : size;
    if (length < 8) return true; // nonsense, for a decoder to judge
    at += length;
  }
  return at === bytes.length;
}

/** @param {Uint8Array} bytes */
function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
