import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  forgetLinked,
  linkedAnswer,
  linkTo,
  rememberDetail,
  wantsDishes,
} from "../../foodvision/page/static/fragment.js";

const CLASSES = {
  titles: { pizza: "pizza", other_food: "other food" },
  background: { other_food: "This looks like food, but not {foods}." },
  dishes: { pizza: "pizza", pad_thai: "other_food" },
};
const PREDICTION = {
  label: "other_food",
  probability: 0.9123,
  probabilities: { pizza: 0.0877, other_food: 0.9123 },
  unsure: true,
  seconds: 0.1,
  dishes: { pad_thai: 0.8, pizza: 0.0877 },
};

beforeEach(() => {
  globalThis.location = { pathname: "/food", search: "?token=abc", hash: "" };
  globalThis.document = { body: { dataset: { voila: "voila" } } };
  globalThis.history = {
    replaceState(_, __, address) {
      location.address = address;
      location.hash = address.includes("#") ? address.slice(address.indexOf("#")) : "";
    },
  };
});

function follow(link) {
  location.hash = link.slice(link.indexOf("#"));
}

test("a link to an answer brings its label, numbers and doubt", () => {
  follow(linkTo("https://food.example.com/", PREDICTION, false));
  const { seconds, ...kept } = PREDICTION;
  assert.deepEqual(linkedAnswer(CLASSES), {
    ...kept,
    probability: 0.912,
    probabilities: { other_food: 0.912, pizza: 0.088 },
    dishes: { pad_thai: 0.8, pizza: 0.088 },
  });
});

test("all of it is in the fragment, which browsers don't send", () => {
  const link = new URL(linkTo("https://food.example.com/", PREDICTION, true));
  assert.equal(link.origin + link.pathname + link.search, "https://food.example.com/");
});

test("an answer with classes that the model doesn't have is not shown", () => {
  for (const hash of ["#answer=Win+a+prize&p.Win+a+prize=1", "#answer=pizza", "#answer=pizza&p.pizza=7", "#", ""]) {
    location.hash = hash;
    assert.equal(linkedAnswer(CLASSES), null, hash);
  }
  location.hash = "#answer=pizza&p.pizza=0.9&p.evil=0.1&d.evil=0.1";
  assert.deepEqual(linkedAnswer(CLASSES).probabilities, { pizza: 0.9 });
});

test("the address remembers whether dishes are asked for, and keeps its query", () => {
  rememberDetail(true);
  assert.equal(location.address, "/food?token=abc#show=dishes");
  assert.equal(wantsDishes(), true);
  rememberDetail(false);
  assert.equal(location.address, "/food?token=abc");
  assert.equal(wantsDishes(), false);
});

test("an answer from a link is forgotten once there is another", () => {
  follow(linkTo("", PREDICTION, true));
  forgetLinked();
  assert.equal(location.hash, "#show=dishes");
});

test("a dashboard inside a notebook leaves the address alone", () => {
  document.body.dataset = {};
  rememberDetail(true);
  assert.equal(location.address, undefined);
  follow(linkTo("", PREDICTION, true));
  assert.equal(linkedAnswer(CLASSES), null);
});
