import assert from "node:assert/strict";
import { test } from "node:test";
import { layOutPictures, toPictures } from "../../foodvision/page/static/picture.js";
import { toCsv, toJson } from "../../foodvision/page/static/save.js";

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
      const height = rows * 800 + 64; // with the page's name below
      assert.ok(columns * 600 * height <= 16_777_216 && height <= 16_384, `${photos} photos`);
    }
  }
});

test("without photos there is no picture", () => assert.deepEqual(layOutPictures(0), []));

/** Stands in for the browser's canvas; returns what is drawn on it, as lists of arguments. */
function fakeCanvas() {
  const drawn = { fillText: [], fillRect: [] };
  const context = new Proxy(
    { measureText: (text) => ({ width: 16 * text.length }) },
    { get: (known, name) => known[name] ?? ((...values) => drawn[name]?.push(values)), set: () => true },
  );
  const canvas = { setAttribute() {}, append() {}, getContext: () => context, toBlob: (done) => done(new Blob()) };
  globalThis.document = { createElement: () => canvas, title: "FoodVision" };
  globalThis.createImageBitmap = async () => ({ width: 4, height: 3, close() {} });
  return drawn;
}

const PAGE = { big: false, address: "https://food.example.com/" };

test("a picture says which page it comes from, and where that is", async () => {
  const drawn = fakeCanvas();
  const prediction = { label: "a", probability: 0.6, probabilities: { a: 0.6, b: 0.4 }, unsure: false, seconds: 0.1 };
  const classes = { titles: {}, background: {} };
  for await (const _ of toPictures([{ jpeg: new Blob(), prediction }], classes, PAGE));
  const texts = drawn.fillText.map(([text]) => text);
  assert.ok(texts.includes("FoodVision") && texts.includes("food.example.com"), texts.join());
});

test("however long the words are, bars stay in their tile, and words in its width", async () => {
  const name = "a".repeat(200);
  const probabilities = { [name]: 0.4, b: 0.3, c: 0.3 };
  for (const sentences of [1, 3, 30]) {
    const drawn = fakeCanvas();
    const classes = {
      titles: {},
      background: { [name]: "This is not a sentence that fits one line. ".repeat(sentences) },
    };
    const prediction = { label: name, probability: 0.4, probabilities, unsure: true, seconds: 0.1 };
    for await (const _ of toPictures([{ jpeg: new Blob(), prediction }], classes, PAGE));
    for (const [, y, , height] of drawn.fillRect.slice(1)) assert.ok(y + height <= 800, `${sentences}: ${y}`);
    for (const [text, x, , width] of drawn.fillText) {
      assert.ok(x + Math.min(width ?? Infinity, 16 * text.length) <= 600, text);
    }
  }
});

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

test("a table has a column for each answer, and for the likeliest dish of a model that knows dishes", () => {
  const prediction = {
    label: "a",
    probability: 0.75,
    probabilities: { a: 0.75, b: 0.25 },
    unsure: false,
    seconds: 0.1,
  };
  const photos = [
    { name: "1.jpg", prediction },
    { name: "b.txt", error: 'This is "text", not a photo.' },
  ];
  assert.deepEqual(toCsv(photos).split("\r\n"), [
    "photo,label,probability,probability_a,probability_b,unsure,error",
    "1.jpg,a,0.75,0.75,0.25,false,",
    'b.txt,,,,,,"This is ""text"", not a photo."',
  ]);
  const [header, row] = toCsv([
    { name: "1.jpg", prediction: { ...prediction, dishes: { ramen: 0.5, pho: 0.1 } } },
  ]).split("\r\n");
  assert.equal(header.split(",").at(-1), "dish");
  assert.equal(row.split(",").at(-1), "ramen");
});

test("a file's name is no formula in a table", () => {
  assert.match(toCsv([{ name: "=1+1.jpg", error: "-" }]), /^'=1\+1\.jpg,.*'-$/m);
});
