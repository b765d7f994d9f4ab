import assert from "node:assert/strict";
import { test } from "node:test";
import { Steady } from "../../foodvision/page/static/viewfinder.js";

const BACKGROUND = { not_food: "I don't see food here." };
const sure = (label) => ({ label, unsure: false });
const unsure = (label) => ({ label, unsure: true });

/** What is shown after each of the predictions. */
function shownFor(...predictions) {
  const steady = new Steady();
  return predictions.map((prediction) => steady.follow(prediction, BACKGROUND));
}

test("the camera's label appears once three frames agree", () => {
  assert.deepEqual(shownFor(sure("pizza"), sure("pizza"), sure("pizza")), [null, null, "pizza"]);
});

test("one odd frame doesn't change the camera's label", () => {
  const shown = shownFor(...Array(3).fill(sure("pizza")), sure("steak"), sure("pizza"), unsure("sushi"), sure("pizza"));
  assert.deepEqual(shown.slice(2), Array(5).fill("pizza"));
});

test("the camera's label follows to another dish", () => {
  assert.equal(shownFor(...Array(3).fill(sure("pizza")), ...Array(3).fill(sure("steak"))).at(-1), "steak");
});

test("where nothing is sure, or nothing to eat, the camera names nothing", () => {
  const [pizza, doubt, table] = [sure("pizza"), unsure("pizza"), sure("not_food")].map((it) => Array(3).fill(it));
  assert.equal(shownFor(...pizza, ...doubt).at(-1), null);
  assert.equal(shownFor(...pizza, ...table).at(-1), null);
});
