import assert from "node:assert/strict";
import { test } from "node:test";
import { isComplete } from "../../foodvision/page/static/complete.js";

const bytes = (...parts) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part, "latin1")] : part)));
const big = (number, size = 4) =>
  [...Array(size).keys()].map((place) => Math.floor(number / 256 ** (size - 1 - place)) % 256);
const little = (number) => big(number).reverse();

const END = [0xff, 0xd9];
const THUMBNAIL = [0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 2, 3, ...END];
const segment = (kind, content) => [0xff, kind, ...big(content.length + 2, 2), ...content];
const SCAN = [...segment(0xda, [1, 1, 0]), 12, 0xff, 0x00, 34, 0xff, 0xd0, 56, 0xff, 0x00];
const JPEG = [0xff, 0xd8, ...segment(0xe1, THUMBNAIL), ...segment(0xdb, [1, 2, 3])];
const chunk = (kind, content) => bytes(big(content.length), kind, content, [0, 0, 0, 0]);
const box = (kind, content) => bytes(big(content.length + 8), kind, content);

const COMPLETE = {
  jpeg: bytes(JPEG, SCAN, END),
  "progressive jpeg": bytes(JPEG, SCAN, segment(0xc4, [1]), SCAN, END),
  "jpeg with padding before its markers": bytes(JPEG, SCAN, [0xff, 0xff], END),
  png: bytes("\x89PNG\r\n\x1a\n", [...chunk("IHDR", [1, 2, 3])], [...chunk("IDAT", [4, 5])], [...chunk("IEND", [])]),
  webp: bytes("RIFF", little(12), "WEBPVP8 ", [1, 2, 3, 4]),
  gif: bytes(
    "GIF89a",
    [2, 0, 2, 0, 0x80, 0, 0, ...Array(6).fill(0x3b)], // two colours
    [0x21, 0xf9, 4, 1, 2, 3, 0x3b, 0],
    [0x2c, 0, 0, 0, 0, 2, 0, 2, 0, 0x81, ...Array(12).fill(0), 2, 3, 1, 0x3b, 2, 2, 1, 0x3b, 0], // four of its own
    [0x3b],
  ),
  bmp: bytes("BM", little(10), [1, 2, 3, 4]),
  avif: bytes([...box("ftyp", [...Buffer.from("avif")])], [...box("mdat", [1, 2, 3, 4])]),
};

for (const [kind, photo] of Object.entries(COMPLETE)) {
  test(`a complete photo is recognised: ${kind}`, () => assert.ok(isComplete(photo)));

  test(`a photo that is cut short is recognised, wherever it was cut: ${kind}`, () => {
    for (let size = 16; size < photo.length; size++) {
      assert.ok(!isComplete(photo.subarray(0, size)), `${size} of ${photo.length} bytes`);
    }
  });
}

test("bytes after a photo's end don't matter, such as a phone's video or a second picture", () => {
  for (const kind of ["jpeg", "png", "webp", "gif", "bmp"])
    assert.ok(isComplete(bytes([...COMPLETE[kind]], JPEG, "ftypmp42")), kind);
});

test("the thumbnail's end is not the photo's", () => {
  const upToThumbnail = COMPLETE.jpeg.subarray(0, 6 + THUMBNAIL.length);
  assert.deepEqual([...upToThumbnail.subarray(-2)], END);
  assert.ok(!isComplete(upToThumbnail));
  assert.ok(!isComplete(bytes(JPEG, SCAN)));
});

test("other files count as complete, and the decoder decides", () => {
  for (const file of [bytes(""), bytes("only text"), bytes("II*\0"), bytes([0, 0, 0])]) assert.ok(isComplete(file));
});
