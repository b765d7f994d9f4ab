import assert from "node:assert/strict";
import { test } from "node:test";
import { sorted } from "../../foodvision/page/static/arrange.js";

const photo = (name, kind, label, probability) => ({ name, said: { kind, label }, prediction: { probability } });
const PHOTOS = [
  photo("sushi", "sure", "sushi", 0.9),
  photo("refused", "none", "not_food", 0.8),
  { name: "bad", error: "This is not a photo." },
  photo("doubtful", "doubt", "pizza", 0.95),
  photo("pizza", "sure", "pizza", 0.7),
  { name: "waiting" },
];
const names = (order) => sorted(PHOTOS, order).map(({ name }) => name);

test("photos stay as they were chosen, newest first", () => {
  assert.deepEqual(names("newest"), ["sushi", "refused", "bad", "doubtful", "pizza", "waiting"]);
});

test("by answer, sure answers come first, and photos without an answer last", () => {
  assert.deepEqual(names("answer"), ["pizza", "sushi", "doubtful", "refused", "bad", "waiting"]);
});

test("least sure first: doubtful ones, then by probability, then those without an answer", () => {
  assert.deepEqual(names("unsure"), ["doubtful", "pizza", "refused", "sushi", "bad", "waiting"]);
});
