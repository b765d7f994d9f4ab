import assert from "node:assert/strict";
import { test } from "node:test";
import {
  choicesOf,
  describe,
  knownOf,
  megabytes,
  percent,
  questionOf,
  titleOf,
} from "../../foodvision/page/static/describe.js";
import { words } from "../../foodvision/page/static/words.js";

const FOOD = {
  titles: { not_food: "not food", other_food: "other food", pizza: "pizza", steak: "steak", sushi: "sushi" },
  background: { other_food: "This looks like food, but not {foods}.", not_food: "I don't see food here." },
};
const DISHES = {
  ...FOOD,
  dishes: { filet_mignon: "steak", pho: "other_food", pizza: "pizza", ramen: "other_food", steak: "steak" },
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

/** The words for a prediction of a model that knows dishes. */
function said(label, dishes, big, more = {}) {
  return describe(prediction(label, DISHES, { dishes, ...more }), DISHES, big);
}

test("a wanted class is named", () => {
  assert.equal(describe(prediction("pizza", FOOD), FOOD).heading, "Pizza");
  const bears = own("grizzly_bear", "teddy");
  assert.equal(describe(prediction("grizzly_bear", bears), bears).heading, "Grizzly bear");
});

test("how likely it is comes in words, and the number in small print", () => {
  const of = (probability) => describe(prediction("pizza", FOOD, { probability }), FOOD);
  assert.deepEqual(
    [0.97, 0.9, 0.8, 0.7, 0.55].map((probability) => of(probability).likely),
    ["Very likely", "Very likely", "Likely", "Likely", "More likely than not"],
  );
  assert.equal(of(0.97).smallPrint, "97% sure, in 0.12 s");
});

test("a background class is refused, naming the others", () => {
  assert.equal(describe(prediction("not_food", FOOD), FOOD).heading, "I don't see food here");
  assert.equal(describe(prediction("other_food", FOOD), FOOD).heading, "Not pizza, steak or sushi");
  const classes = { titles: own("teddy", "junk").titles, background: { junk: "This is not {foods}." } };
  assert.equal(describe(prediction("junk", classes), classes).heading, "Not teddy");
});

test("a model's own sentence for a background class is used as it is", () => {
  const classes = { titles: own("teddy", "junk").titles, background: { junk: "No bear, in particular no {foods}!" } };
  assert.equal(describe(prediction("junk", classes), classes).heading, "No bear, in particular no teddy!");
});

test("more classes than fit a sentence are counted", () => {
  const classes = own(..."abcdefg", "junk");
  classes.background = { junk: "This is not {foods}." };
  assert.equal(describe(prediction("junk", classes), classes).heading, "Not one of the 7 I know");
});

test("a refusal names the likeliest dish that is none of the answers", () => {
  assert.equal(said("other_food", { filet_mignon: 0.2, ramen: 0.72 }).likely, "Probably ramen");
  assert.equal(said("other_food", { ramen: 0.4 }).likely, "Perhaps ramen");
  assert.equal(said("other_food", { ramen: 0.2 }).likely, "");
  assert.equal(said("not_food", { ramen: 0.4 }).likely, "");
});

test("the model's own titles are used, in headings, bars and sentences", () => {
  const classes = { titles: { n01: "New York pizza", n02: "pho" }, background: {} };
  const { heading, likely, bars } = describe(prediction("n01", classes, { unsure: true }), classes);
  assert.deepEqual(
    [heading, likely, bars[1].title],
    ["Not sure: perhaps New York pizza", "It could also be pho.", "Pho"],
  );
});

test("doubt names the runner-up, even one that is ahead of the label", () => {
  const probabilities = { not_food: 0.2, pizza: 0.38, steak: 0.42 };
  const { kind, heading, likely, bars } = describe(
    prediction("pizza", FOOD, { probabilities, probability: 0.38, unsure: true }),
    FOOD,
  );
  assert.deepEqual([kind, heading, likely], ["doubt", "Not sure: perhaps pizza", "It could also be steak."]);
  assert.deepEqual(
    bars.map(({ title, percent }) => [title, percent]),
    [
      ["Pizza", "38%"],
      ["Steak", "42%"],
      ["Not food", "20%"],
    ],
  );
});

test("doubt about a background class is plain English", () => {
  const doubt = (name) =>
    describe(prediction("pizza", FOOD, { probabilities: { pizza: 0.5, [name]: 0.5 }, unsure: true }), FOOD).likely;
  assert.equal(doubt("not_food"), "It could also be no food at all.");
  assert.equal(doubt("other_food"), "It could also be some other food.");
});

test("a sure prediction has no doubt, nor has a model of one class", () => {
  assert.equal(describe(prediction("pizza", FOOD), FOOD).kind, "sure");
  assert.equal(describe(prediction("pizza", own("pizza"), { unsure: true }), own("pizza")).kind, "sure");
});

test("bars are folded where they only repeat the heading", () => {
  const folded = (probability, unsure = false) =>
    describe(prediction("pizza", FOOD, { probability, unsure }), FOOD).folded;
  assert.deepEqual([folded(0.95), folded(0.6), folded(0.95, true)], [true, false, false]);
});

test("at most five bars, the label's first", () => {
  const { bars } = describe(prediction("g", own(..."abcdefg")), own(..."abcdefg"));
  assert.deepEqual(
    bars.map(({ title }) => title),
    ["G", "A", "B", "C", "D"],
  );
});

test("asked for dishes, the likeliest dish is the answer, whatever group it belongs to", () => {
  const dishes = { filet_mignon: 0.6, pho: 0.2, steak: 0.1, ramen: 0.05, pizza: 0.03 };
  const { heading, bars, label } = said("steak", dishes, true);
  assert.deepEqual([heading, label], ["Filet mignon", "filet_mignon"]);
  assert.deepEqual(
    bars.map(({ title }) => title),
    ["Filet mignon", "Pho", "Steak", "Ramen", "Pizza"],
  );
  assert.equal(said("other_food", { ramen: 0.9 }, true).heading, "Ramen");
});

test("asked for dishes, a photo without food has none", () => {
  assert.equal(said("not_food", { ramen: 0.004 }, true).heading, "I don't see food here");
});

test("two dishes that are about as likely leave doubt", () => {
  const { heading, likely } = said("other_food", { ramen: 0.5, pho: 0.4 }, true, { unsure: false });
  assert.deepEqual([heading, likely], ["Not sure: perhaps ramen", "It could also be pho."]);
});

test("a model without dishes is asked the same either way", () => {
  assert.deepEqual(describe(prediction("pizza", FOOD), FOOD, true), describe(prediction("pizza", FOOD), FOOD));
  assert.equal(choicesOf(FOOD), null);
});

test("class names that mean something to JavaScript are only names", () => {
  for (const name of ["constructor", "toString", "hasOwnProperty"]) {
    const classes = own(name, "pizza");
    const { heading } = describe(prediction(name, classes, { unsure: true }), classes);
    assert.equal(heading, `Not sure: perhaps ${name}`);
    assert.equal(titleOf(name, { titles: {}, background: {} }).toLowerCase(), name.toLowerCase());
  }
});

test("a class without a title goes by its name", () => {
  assert.equal(titleOf("french_fries", { titles: {}, background: {} }), "French fries");
});

test("the page asks what the model can answer", () => {
  assert.equal(questionOf(FOOD), "Is it pizza, steak or sushi?");
  assert.equal(questionOf(own("grizzly_bear", "teddy")), "Is it grizzly bear or teddy?");
  assert.equal(questionOf(own(..."abcdefg")), "Which of 7 is it?");
  assert.equal(questionOf({ titles: {}, background: {} }), "What is in your photo?");
  assert.equal(questionOf(DISHES, true), "Which of 5 dishes is it?");
});

test("a model that knows dishes offers both questions", () => {
  assert.deepEqual(choicesOf(DISHES), { mini: "Pizza, steak or sushi", big: "5 dishes" });
});

test("the page says what the model tells apart", () => {
  assert.equal(knownOf(FOOD), "pizza, steak and sushi");
  assert.equal(knownOf(own(..."abcdefg")), "7 different things");
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
  const small = (probability) => describe({ ...prediction("pizza", FOOD), probability }, FOOD).smallPrint;
  assert.deepEqual([0.5, 1].map(small), ["50% sure, in 0.12 s", "Over 99% sure, in 0.12 s"]);
});

test("progress counts bad files, if there are any", () => {
  assert.equal(words.tally(3, 6), "3 of 6 done");
  assert.equal(words.tallyWithBad(6, 6, 1), "6 of 6 done, 1 could not be read");
});

test("a file too large to send is reported with both sizes", () => {
  const said = words.tooLarge(megabytes(31_240_000), megabytes(30_000_000));
  assert.match(said, /at 31.2 MB it is too large to send as it is \(30.0 MB at most\)/);
});
