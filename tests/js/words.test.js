import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, invitation, percent, tally, titleOf, tooLarge } from "../../foodvision/page/static/words.js";

const FOOD = {
  titles: { not_food: "not food", other_food: "other food", pizza: "pizza", steak: "steak", sushi: "sushi" },
  background: { other_food: "This looks like food, but not {foods}.", not_food: "I don't see food here." },
};

/** Classes of a model without background. */
function own(...names) {
  return { titles: Object.fromEntries(names.map((name) => [name, name.replaceAll("_", " ")])), background: {} };
}

/** A prediction of `label` for a model with these classes, as Python sends it. */
function prediction(label, classes, more = {}) {
  const names = Object.keys(classes.titles);
  const probabilities = Object.fromEntries(names.map((name) => [name, 1 / names.length]));
  return { label, probability: probabilities[label], probabilities, unsure: false, seconds: 0.1234, ...more };
}

test("a wanted class is named", () => {
  assert.equal(describe(prediction("pizza", FOOD), FOOD).heading, "Pizza");
  assert.equal(
    describe(prediction("grizzly_bear", own("grizzly_bear", "teddy")), own("grizzly_bear", "teddy")).heading,
    "Grizzly bear",
  );
});

test("a background class gets the model's sentence, which names the others", () => {
  assert.equal(describe(prediction("not_food", FOOD), FOOD).heading, "I don't see food here.");
  assert.equal(
    describe(prediction("other_food", FOOD), FOOD).heading,
    "This looks like food, but not pizza, steak or sushi.",
  );
});

test("more classes than fit a sentence are counted", () => {
  const classes = own(..."abcdefg", "junk");
  classes.background = { junk: "This is not {foods}." };
  assert.equal(describe(prediction("junk", classes), classes).heading, "This is not one of the 7 I know.");
});

test("the model's own titles are used, in headings, bars and sentences", () => {
  const classes = { titles: { n01: "New York pizza", n02: "pho" }, background: {} };
  const said = describe(prediction("n01", classes, { unsure: true }), classes);
  assert.deepEqual([said.heading, said.doubt, said.bars[1].title], ["New York pizza", "It could also be pho.", "Pho"]);
});

test("doubt names the runner-up, even one that is ahead of the label", () => {
  const probabilities = { not_food: 0.2, pizza: 0.38, steak: 0.42 };
  const said = describe(prediction("pizza", FOOD, { probabilities, probability: 0.38, unsure: true }), FOOD);
  assert.equal(said.doubt, "It could also be steak.");
  assert.deepEqual(
    said.bars.map(({ title, percent }) => [title, percent]),
    [
      ["Pizza", "38%"],
      ["Steak", "42%"],
      ["Not food", "20%"],
    ],
  );
});

test("doubt about a background class is plain English", () => {
  const doubt = (name) =>
    describe(prediction("pizza", FOOD, { probabilities: { pizza: 0.5, [name]: 0.5 }, unsure: true }), FOOD).doubt;
  assert.equal(doubt("not_food"), "It could also be no food at all.");
  assert.equal(doubt("other_food"), "It could also be another food.");
});

test("a sure prediction has no doubt, nor has a model of one class", () => {
  assert.equal(describe(prediction("pizza", FOOD), FOOD).doubt, "");
  assert.equal(describe(prediction("pizza", own("pizza"), { unsure: true }), own("pizza")).doubt, "");
});

test("at most five bars, the label's first", () => {
  const { bars } = describe(prediction("g", own(..."abcdefg")), own(..."abcdefg"));
  assert.deepEqual(
    bars.map(({ title }) => title),
    ["G", "A", "B", "C", "D"],
  );
});

test("class names that mean something to JavaScript are only names", () => {
  for (const name of ["constructor", "toString", "hasOwnProperty"]) {
    const classes = own(name, "pizza");
    assert.equal(
      describe(prediction(name, classes, { unsure: true }), classes).heading.toLowerCase(),
      name.toLowerCase(),
    );
    assert.equal(titleOf(name, { titles: {}, background: {} }).toLowerCase(), name.toLowerCase());
  }
});

test("a class without a title goes by its name", () => {
  assert.equal(titleOf("french_fries", { titles: {}, background: {} }), "French fries");
});

test("the page says what it is for in the model's classes", () => {
  assert.equal(
    invitation(FOOD),
    "Choose a photo to see whether it's pizza, steak, sushi, another food or no food at all.",
  );
  assert.equal(invitation(own("grizzly_bear", "teddy")), "Choose a photo to see whether it's grizzly bear or teddy.");
  assert.equal(invitation(own(..."abcdefg")), "Choose a photo to see which of 7 classes it shows.");
  assert.equal(invitation({ titles: {}, background: {} }), "");
});

test("no probability is shown as 0% or 100%", () => {
  assert.deepEqual([0, 0.0099, 0.01, 0.995, 0.99, 1].map(percent), [
    "under 1%",
    "under 1%",
    "1%",
    "over 99%",
    "99%",
    "over 99%",
  ]);
});

test("a sentence begins with a capital letter", () => {
  const said = (probability) => describe({ ...prediction("pizza", FOOD), probability }, FOOD).confidence;
  assert.deepEqual([0.5, 1].map(said), ["50% sure", "Over 99% sure"]);
});

test("seconds have two significant digits", () => {
  assert.equal(describe(prediction("pizza", FOOD), FOOD).time, "in 0.12 s");
});

test("progress counts bad files, if there are any", () => {
  assert.equal(tally(3, 6, 0), "3 of 6 done");
  assert.equal(tally(6, 6, 1), "6 of 6 done, 1 could not be read");
});

test("a file too large to send is reported with both sizes", () => {
  assert.match(tooLarge(31_240_000, 30_000_000), /at 31.2 MB it is too large to send as it is \(30.0 MB at most\)/);
});
