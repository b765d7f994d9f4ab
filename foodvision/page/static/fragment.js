// What the address remembers, behind its #: nothing there is ever sent to a server.
import { dishesOf } from "./describe.js";
import { ownsThePage } from "./element.js";

/** @import { Classes, Prediction } from "./types" */

const [ANSWER, SHARE, DISH, DETAIL] = ["answer", "p.", "d.", "show"];
const ALL_DISHES = "dishes";
const MAX_NUMBERS = 5; // of answers, and of dishes

/** Whether the page is asked for dishes. */
export function wantsDishes() {
  return ownsThePage() && fragment().get(DETAIL) === ALL_DISHES;
}

/** @param {boolean} big */
export function rememberDetail(big) {
  const kept = fragment();
  if (big) kept.set(DETAIL, ALL_DISHES);
  else kept.delete(DETAIL);
  write(kept);
}

/**
 * An address that shows an answer, without its photo.
 * @param {string} address
 * @param {Prediction} prediction
 * @param {boolean} big
 */
export function linkTo(address, { label, probabilities, dishes = {}, unsure }, big) {
  const kept = new URLSearchParams({ [ANSWER]: label, ...(unsure && { unsure: "1" }) });
  for (const [prefix, numbers] of /** @type {const} */ ([
    [SHARE, probabilities],
    [DISH, dishes],
  ])) {
    const best = Object.entries(numbers).sort(([, a], [, b]) => b - a);
    for (const [name, share] of best.slice(0, MAX_NUMBERS)) kept.set(prefix + name, String(Number(share.toFixed(3))));
  }
  if (big) kept.set(DETAIL, ALL_DISHES);
  return `${address}#${kept}`;
}

/**
 * The answer in the address. Null if there is none, or it speaks of classes that this model does not have: a stranger may
 * have written it.
 * @param {Classes} classes
 * @returns {Prediction | null}
 */
export function linkedAnswer(classes) {
  if (!ownsThePage()) return null;
  const kept = fragment();
  const label = kept.get(ANSWER);
  const probabilities = numbersIn(kept, SHARE, Object.keys(classes.titles));
  const dishes = numbersIn(kept, DISH, dishesOf(classes));
  if (label === null || !Object.hasOwn(probabilities, label)) return null;
  const probability = probabilities[label];
  return { label, probability, probabilities, unsure: kept.has("unsure"), ...(Object.keys(dishes)[0] && { dishes }) };
}

/** Forgets an answer that came with a link. */
export function forgetLinked() {
  const kept = fragment();
  if (kept.has(ANSWER)) write(new URLSearchParams(kept.has(DETAIL) ? { [DETAIL]: ALL_DISHES } : {}));
}

/** @param {URLSearchParams} kept @param {string} prefix @param {string[]} names @returns {Record<string, number>} */
function numbersIn(kept, prefix, names) {
  const numbers = names.map((name) => /** @type {const} */ ([name, Number(kept.get(prefix + name) ?? Number.NaN)]));
  const good = numbers.filter(([, share]) => share >= 0 && share <= 1);
  return Object.fromEntries(good.sort(([, a], [, b]) => b - a));
}

function fragment() {
  return new URLSearchParams(location.hash.slice(1));
}

/** @param {URLSearchParams} kept */
function write(kept) {
  if (ownsThePage())
    history.replaceState(null, "", `${location.pathname}${location.search}${String(kept) && `#${kept}`}`);
}
