// An answer in words: what it is, how sure, and how the numbers compare.
import { words } from "./words.js";

/** @import { Classes, Prediction, Said } from "./types" */

const MAX_NAMED = 5; // classes in a sentence, and bars below an answer; more are counted
const [VERY_LIKELY, LIKELY] = [0.9, 0.7]; // of probability
const [CONFIDENCE, MARGIN] = [0.5, 0.2]; // a dish is doubtful below, or with another closer behind
const WORTH_NAMING = 0.25; // of probability, for a dish that is none of the answers
const DEFAULT_SENTENCES = {
  // of background classes, in a model's metadata; the page says them in its own words
  otherFood: "This looks like food, but not {foods}.",
  notFood: "I don't see food here.",
  noneOf: "This is not {foods}.",
};

/**
 * A prediction in words. With `big` it names the dish, if the model knows dishes.
 * @param {Prediction} prediction
 * @param {Classes} classes
 * @param {boolean} [big]
 * @returns {Said}
 */
export function describe(prediction, classes, big = false) {
  const asked = big ? ofDishes(prediction, classes) : prediction;
  const { label, probability, probabilities, unsure, seconds } = asked;
  const none = isBackground(label, classes);
  const ranked = rank(probabilities, label);
  const doubtful = unsure && ranked.length > 1;
  const [kind, heading, likely] = none
    ? ["none", refusalOf(label, classes), perhaps(asked, classes)]
    : doubtful
      ? ["doubt", words.notSure(nounOf(label, classes)), words.orElse(nounOf(ranked[1], classes))]
      : ["sure", titleOf(label, classes), howLikely(probability)];
  return {
    label,
    kind: /** @type {Said["kind"]} */ (kind),
    heading,
    likely,
    smallPrint: smallPrintOf(capitalized(percent(probability)), seconds),
    folded: kind !== "doubt" && probability >= VERY_LIKELY,
    bars: ranked.slice(0, MAX_NAMED).map((name) => ({
      title: titleOf(name, classes),
      share: probabilities[name],
      percent: percent(probabilities[name]),
    })),
  };
}

/** The question that the page answers, for the model's answers or for its dishes. @param {Classes} classes */
export function questionOf(classes, big = false) {
  const wanted = wantedOf(classes);
  if (big) return words.questionOfDishes(count(dishesOf(classes)));
  if (!wanted.length) return words.plainQuestion;
  return wanted.length > MAX_NAMED ? words.questionOfMany(count(wanted)) : words.question(either(wanted, classes));
}

/** What can be asked of a model that knows dishes: its few answers, or which dish it is. @param {Classes} classes */
export function choicesOf(classes) {
  const dishes = dishesOf(classes);
  if (!dishes.length) return null;
  const wanted = wantedOf(classes);
  return {
    mini: words.fewAnswers(wanted.length > MAX_NAMED ? count(wanted) : capitalized(either(wanted, classes))),
    big: words.allDishes(count(dishes)),
  };
}

/** What the model tells apart, in a sentence. @param {Classes} classes */
export function knownOf(classes) {
  const names = wantedOf(classes);
  if (names.length > MAX_NAMED) return words.manyThings(count(names));
  return new Intl.ListFormat(words.language).format(nounsOf(names, classes));
}

/** @param {Classes} classes */
export function dishesOf({ dishes }) {
  return Object.keys(dishes ?? {});
}

/** @param {string} name @param {Classes} classes */
export function titleOf(name, { titles }) {
  return capitalized(wordsOf(name, titles));
}

/** Never 0% or 100%: no model is that sure. @param {number} probability */
export function percent(probability) {
  const format = new Intl.NumberFormat(words.language, { style: "percent" });
  if (probability < 0.01) return words.under(format.format(0.01));
  if (probability > 0.99) return words.over(format.format(0.99));
  return format.format(Math.round(100 * probability) / 100);
}

/** @param {number} bytes */
export function megabytes(bytes) {
  const format = new Intl.NumberFormat(words.language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  return words.megabytes(format.format(bytes / 1e6));
}

/** @param {string} name @param {Classes} classes */
export function isBackground(name, { background }) {
  return Object.hasOwn(background, name);
}

// The answer is the likeliest dish, unless there is no food at all to ask about.
/** @param {Prediction} prediction @param {Classes} classes @returns {Prediction} */
function ofDishes(prediction, classes) {
  const { dishes, label } = prediction;
  const [first, second] = Object.keys(dishes ?? {});
  if (!dishes || !first || (isBackground(label, classes) && !isDish(label, classes))) return prediction;
  const probability = dishes[first];
  const unsure = probability < CONFIDENCE || probability - (dishes[second] ?? 0) < MARGIN;
  return { ...prediction, label: first, probability, probabilities: dishes, unsure };
}

/** Whether an answer is a sum of dishes, such as "some other food". @param {string} answer @param {Classes} classes */
function isDish(answer, { dishes = {} }) {
  return Object.values(dishes).includes(answer);
}

/** The likeliest dish that belongs to the label, such as "some other food". @param {Prediction} prediction @param {Classes} classes */
function perhaps({ label, dishes = {} }, { dishes: known = {}, ...classes }) {
  const dish = Object.keys(dishes).find((name) => known[name] === label);
  if (!dish || dishes[dish] < WORTH_NAMING) return "";
  return (dishes[dish] < LIKELY ? words.perhaps : words.presumably)(nounOf(dish, classes));
}

/** @param {string} label @param {Classes} classes */
function refusalOf(label, classes) {
  const wanted = wantedOf(classes);
  const sentence = classes.background[label];
  const list = wanted.length > MAX_NAMED ? words.oneOfMany(count(wanted)) : either(wanted, classes);
  if (sentence === DEFAULT_SENTENCES.notFood) return words.notFood;
  if (sentence === DEFAULT_SENTENCES.otherFood) return words.otherFood(list);
  if (sentence === DEFAULT_SENTENCES.noneOf) return words.noneOf(list);
  return sentence.replaceAll("{foods}", () => list);
}

/** @param {string} share @param {number} [seconds] */
function smallPrintOf(share, seconds) {
  return seconds === undefined ? words.sure(share) : words.sureIn(share, number(seconds));
}

/** @param {number} probability */
function howLikely(probability) {
  if (probability >= VERY_LIKELY) return words.veryLikely;
  return probability >= LIKELY ? words.likely : words.probably;
}

/** @param {Record<string, number>} probabilities @param {string} label */
function rank(probabilities, label) {
  const first = (/** @type {string} */ name) => Number(name === label);
  return Object.keys(probabilities).sort((a, b) => first(b) - first(a) || probabilities[b] - probabilities[a]);
}

/** @param {Classes} classes */
function wantedOf(classes) {
  return Object.keys(classes.titles).filter((name) => !isBackground(name, classes));
}

/** A class in the middle of a sentence. @param {string} name @param {Classes} classes */
function nounOf(name, classes) {
  if (!isBackground(name, classes)) return wordsOf(name, classes.titles);
  if (name === "other_food") return words.another;
  return name === "not_food" ? words.nothing : words.somethingElse;
}

/** @param {string[]} names @param {Classes} classes */
function nounsOf(names, classes) {
  return names.map((name) => nounOf(name, classes));
}

// A title that the owner chose stays as it is; the usual ones are translated.
/** @param {string} name @param {Record<string, string>} titles */
function wordsOf(name, titles) {
  const usual = name.replaceAll("_", " ");
  const title = Object.hasOwn(titles, name) ? titles[name] : usual;
  return Object.hasOwn(words.dishes, name) && plain(title) === plain(usual) ? words.dishes[name] : title;
}

/** Without accents and capitals. @param {string} text */
function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** @param {string[]} names @param {Classes} classes */
function either(names, classes) {
  return new Intl.ListFormat(words.language, { type: "disjunction" }).format(nounsOf(names, classes));
}

/** @param {string[]} names */
function count(names) {
  return new Intl.NumberFormat(words.language).format(names.length);
}

/** @param {number} seconds */
function number(seconds) {
  return new Intl.NumberFormat(words.language, { maximumSignificantDigits: 2 }).format(seconds);
}

/** @param {string} text */
function capitalized(text) {
  const [first = "", ...rest] = text;
  return first.toLocaleUpperCase(words.language) + rest.join("");
}
