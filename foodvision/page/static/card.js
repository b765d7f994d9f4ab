// A card with one photo and what the page says about it.
import { element } from "./element.js";
import { toImage } from "./photo.js";
import { describe, labels } from "./words.js";

/** @import { Card, Classes, Prediction } from "./types" */

/**
 * If the photo is `alone`, it is shown large and screen readers announce its answer.
 * @param {string} name
 * @param {boolean} alone
 * @returns {Card}
 */
export function makeCard(name, alone) {
  const picture = element("div", { class: "fv-picture" });
  const words = element("div", { class: "fv-answer", ...(alone && { role: "status" }) });
  const node = element("article", { class: "fv-card", "aria-label": name }, picture, words);
  return {
    node,
    say: (sentence) => words.replaceChildren(element("p", {}, sentence)),
    refuse: (sentence) =>
      words.replaceChildren(element("p", { class: "fv-complaint" }, element("strong", {}, name), ` ${sentence}`)),
    answer: (prediction, classes, ...extras) =>
      words.replaceChildren(...inWords(prediction, classes, alone ? "" : name), ...extras),
    // If the browser lacks the memory to show a photo, its answer is shown without it.
    show: (jpeg) =>
      toImage(jpeg, labels.photo(name)).then(
        (image) => picture.replaceChildren(image),
        () => {},
      ),
  };
}

/** @param {Prediction} prediction @param {Classes} classes @param {string} name */
function inWords(prediction, classes, name) {
  const { heading, confidence, time, doubt, bars } = describe(prediction, classes);
  return [
    element("h2", {}, heading),
    element("p", {}, `${confidence}, ${time}. ${doubt}`),
    element("ul", { class: "fv-bars" }, ...bars.map(bar)),
    ...(name ? [element("p", { class: "fv-name" }, name)] : []),
  ];
}

/** @param {{ title: string, share: number, percent: string }} bar */
function bar({ title, share, percent }) {
  const fill = element("div");
  fill.style.width = `${100 * share}%`;
  const track = element("div", { class: "fv-bar", "aria-hidden": true }, fill);
  return element("li", {}, element("span", {}, title), " ", element("span", {}, percent), track);
}
