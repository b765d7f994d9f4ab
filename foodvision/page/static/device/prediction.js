// The model's answer to a photo, by the same rule as prediction.py.

/** @import { Prediction } from "../types" */

/**
 * @typedef {object} Rule What Python's `decide` takes.
 * @property {number} confidence
 * @property {number} margin
 */

/**
 * @typedef {object} Description
 * @property {string[]} vocab
 * @property {Record<string, string[]>} groups
 * @property {string[]} background
 * @property {Rule} decision
 * @property {number} dishes how many of the classes to name, where they are finer than the answers; otherwise 0
 */

/**
 * @param {ArrayLike<number>} logits
 * @returns {number[]}
 */
export function softmax(logits) {
  const all = Array.from(logits);
  const highest = Math.max(...all);
  const exponents = all.map((logit) => Math.exp(logit - highest));
  const sum = total(exponents);
  return exponents.map((exponent) => exponent / sum);
}

/**
 * @param {number[]} probabilities of the network's classes
 * @param {Description} model
 * @param {number} seconds
 * @returns {Prediction}
 */
export function predictionOf(probabilities, { vocab, groups, background, decision, dishes }, seconds) {
  const byClass = Object.fromEntries(vocab.map((name, place) => [name, probabilities[place]]));
  const byAnswer = Object.fromEntries(
    Object.entries(groups).map(([answer, names]) => [answer, total(names.map((name) => byClass[name]))]),
  );
  const [label, unsure] = decide(byAnswer, decision);
  const finer = vocab.filter((name) => !background.includes(name)).sort((a, b) => byClass[b] - byClass[a]);
  return {
    label,
    probability: byAnswer[label],
    probabilities: byAnswer,
    unsure,
    seconds,
    ...(dishes && { dishes: Object.fromEntries(finer.slice(0, dishes).map((name) => [name, byClass[name]])) }),
  };
}

/**
 * The label for probabilities by answer, and whether it is unsure.
 * @param {Record<string, number>} probabilities
 * @param {Rule} rule
 * @returns {[string, boolean]}
 */
export function decide(probabilities, { confidence, margin }) {
  const [label, ...others] = Object.keys(probabilities).sort((a, b) => probabilities[b] - probabilities[a]);
  const ahead = probabilities[label] - Math.max(-1, ...others.map((name) => probabilities[name]));
  return [label, probabilities[label] < confidence || ahead < margin];
}

/** @param {number[]} numbers */
function total(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}
