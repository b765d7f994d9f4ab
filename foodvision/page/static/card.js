// One photo and what the page says of it.
import { element, percent } from "./element.js";
import { toImage } from "./photo.js";

// `alone`: the photo is shown large, and its answer is read out; beside others it is one of many.
export function makeCard(name, alone) {
  const picture = element("div", { class: "fv-picture" });
  const words = element("div", { class: "fv-answer", ...(alone && { role: "status" }) });
  const node = element("article", { class: "fv-card", "aria-label": name }, picture, words);
  const say = (...children) => words.replaceChildren(...children);
  return {
    node,
    say: (sentence) => say(element("p", {}, sentence)),
    refuse: (sentence) => say(element("p", { class: "fv-complaint" }, element("strong", {}, name), ` ${sentence}`)),
    answer: (answer, ...extras) => say(...inWords(answer, alone ? "" : name), ...extras),
    // A browser may lack the memory to show a photo: its answer stands without.
    show: (jpeg) => toImage(jpeg, `Your photo, ${name}`).then((image) => picture.replaceChildren(image), () => {}),
  };
}

function inWords({ heading, doubt, probability, seconds, bars }, name) {
  return [
    element("h2", {}, heading),
    element("p", {}, `${percent(probability)} sure, in ${Number(seconds.toPrecision(2))} s. ${doubt}`),
    element("ul", { class: "fv-bars" }, ...bars.map(bar)),
    ...(name && [element("p", { class: "fv-name" }, name)]),
  ];
}

function bar({ name, probability }) {
  const fill = element("div");
  fill.style.width = `${100 * probability}%`;
  const track = element("div", { class: "fv-bar", "aria-hidden": true }, fill);
  return element("li", {}, element("span", {}, name), " ", element("span", {}, percent(probability)), track);
}
