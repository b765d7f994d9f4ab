// A card with one photo and what the page says about it.
import { element } from "./element.js";
import { drawHeat, frameOf } from "./heat.js";
import { icon } from "./icons.js";
import { contextOf, toImage } from "./photo.js";
import { words } from "./words.js";

/** @import { Card, Explanation, Said } from "./types" */

const [FEW, SMOOTH] = [6, 48]; // pixels a side

/**
 * @param {string} name
 * @param {() => void} remove
 * @returns {Card}
 */
export function makeCard(name, remove) {
  const frame = element("div", { class: "fv-frame" });
  const answer = element("div", { class: "fv-answer" });
  const more = element("div", { class: "fv-more" });
  const label = element("p", { class: "fv-name" }, name);
  const cross = element("button", { type: "button", class: "fv-remove", "aria-label": words.remove(name) });
  cross.append(icon("none"));
  cross.addEventListener("click", remove);
  const picture = element("div", { class: "fv-picture" }, frame);
  const body = element("div", { class: "fv-body" }, answer, more, label);
  const node = element(
    "article",
    { class: "fv-card", "aria-label": name, "data-kind": "queued" },
    picture,
    body,
    cross,
  );
  return {
    node,
    alone(is) {
      cross.hidden = label.hidden = is;
      if (is) answer.setAttribute("role", "status");
      else answer.removeAttribute("role");
    },
    say(sentence) {
      node.dataset.kind = "busy";
      answer.replaceChildren(element("p", { class: "fv-busy" }, sentence));
    },
    refuse(sentence) {
      node.dataset.kind = "bad";
      answer.replaceChildren(element("p", {}, element("strong", {}, name), ` ${sentence}`));
      if (!frame.firstChild) frame.append(icon("picture"));
    },
    answer(said) {
      node.dataset.kind = said.kind;
      answer.replaceChildren(icon(said.kind), inWords(said));
      more.querySelector(".fv-numbers")?.remove();
      more.prepend(numbersOf(said, Boolean(answer.role)));
    },
    extend: (...nodes) => more.append(...nodes),
    // If the browser lacks the memory to show a photo, its answer is shown without it.
    show: (jpeg) =>
      toImage(jpeg, words.photo(name)).then(
        (image) => {
          picture.querySelector(".fv-backdrop")?.remove();
          picture.prepend(backdropOf(image));
          frame.replaceChildren(image);
        },
        () => {},
      ),
    explain(explanation) {
      for (const old of frame.querySelectorAll(".fv-heat")) old.remove();
      if (explanation) frame.append(element("div", { class: "fv-heat" }, drawHeat(explanation), frameOf(explanation)));
    },
  };
}

/**
 * The photo as a blur, which fills the space beside it: a few pixels, enlarged. (A filter would be drawn again with each
 * frame.)
 * @param {HTMLImageElement} image
 */
function backdropOf(image) {
  return resized(resized(image, FEW), SMOOTH);
}

/** @param {CanvasImageSource} picture @param {number} side */
function resized(picture, side) {
  const canvas = element("canvas", { class: "fv-backdrop", width: side, height: side, "aria-hidden": "true" });
  const context = contextOf(canvas);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, side, side);
  return canvas;
}

/** @param {Said} said */
function inWords({ heading, likely, smallPrint }) {
  return element(
    "div",
    { class: "fv-said" },
    element("h2", {}, heading),
    ...(likely ? [element("p", { class: "fv-likely" }, likely)] : []),
    element("p", { class: "fv-small" }, smallPrint),
  );
}

/** @param {Said} said @param {boolean} alone */
function numbersOf({ folded, bars }, alone) {
  return element(
    "details",
    { class: "fv-numbers", ...(alone && !folded && { open: "" }) },
    element("summary", {}, words.numbers),
    element("ul", { class: "fv-bars" }, ...bars.map(bar)),
  );
}

/** @param {Said["bars"][number]} bar */
function bar({ title, share, percent }) {
  const fill = element("div");
  fill.style.width = `${100 * share}%`;
  const track = element("div", { class: "fv-bar", "aria-hidden": true }, fill);
  return element("li", {}, element("span", {}, title), " ", element("span", {}, percent), track);
}
