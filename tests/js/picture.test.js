import assert from "node:assert/strict";
import { test } from "node:test";
import { layOutPictures } from "../../foodvision/page/static/picture.js";
import { toJson } from "../../foodvision/page/static/save.js";

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

test("a few photos become one picture", () => {
  for (const count of [1, 2, 3, 33]) assert.deepEqual(layOutPictures(count), [count]);
});

test("many photos become several pictures, none larger than a canvas on iOS", () => {
  for (let count = 1; count <= 1000; count++) {
    const pictures = layOutPictures(count);
    assert.equal(sum(pictures), count);
    assert.equal(pictures.length, Math.ceil(count / 33));
    for (const photos of pictures) {
      const [columns, rows] = [Math.min(3, photos), Math.ceil(photos / Math.min(3, photos))];
      assert.ok(columns * 600 * rows * 800 <= 16_777_216 && rows * 800 <= 16_384, `${photos} photos`);
    }
  }
});

test("without photos there is no picture", () => assert.deepEqual(layOutPictures(0), []));

test("JSON has the fields of a prediction, or its error", () => {
  const prediction = { label: "pizza", probability: 1, probabilities: { pizza: 1 }, unsure: false, seconds: 0.1 };
  const photos = [
    { name: "a.jpg", prediction },
    { name: "b.txt", error: "This is not a photo." },
  ];
  assert.deepEqual(JSON.parse(toJson(photos)), [
    { photo: "a.jpg", ...prediction },
    { photo: "b.txt", error: "This is not a photo." },
  ]);
});
