// What the model looked at: the part of a photo that it reads, which glows where it found its answer.
import { button, element } from "./element.js";
import { contextOf } from "./photo.js";
import { words } from "./words.js";

/** @import { Card, Explanation, Failure } from "./types" */

// Red, green, blue and opacity, over what did not count and over what counted most
const [SHADE, GLOW] = [
  [20, 12, 8, 130],
  [255, 140, 0, 150],
];

/**
 * A button that shows it, and hides it again. `explain` gives nothing where it can't be told.
 * @param {Card} card
 * @param {() => Promise<Explanation | Failure | undefined>} explain
 */
export function whyButton(card, explain) {
  const said = element("p", { class: "fv-hint", role: "status" });
  const why = button(words.why, async () => {
    const shown = why.getAttribute("aria-pressed") === "true";
    if (shown) return hide();
    why.disabled = true;
    const reply = (await explain()) ?? { error: words.deviceFailed };
    why.disabled = false;
    said.textContent = "error" in reply ? reply.error : words.whySaid;
    why.focus(); // which it lost while it was disabled
    if ("error" in reply) return;
    card.explain(reply);
    why.setAttribute("aria-pressed", "true");
  });
  why.setAttribute("aria-pressed", "false");
  const hide = () => {
    card.explain(null);
    why.setAttribute("aria-pressed", "false");
    said.textContent = "";
  };
  return { node: element("div", { class: "fv-why" }, why, said), hide };
}

/** A canvas with a pixel for each number, which the browser smooths as it enlarges it. @param {Explanation} explanation */
export function drawHeat({ area, heat }) {
  const [rows, columns] = [heat.length, heat[0].length];
  const canvas = element("canvas", { width: columns, height: rows });
  const context = contextOf(canvas);
  const pixels = context.createImageData(columns, rows);
  for (const [place, value] of heat.flat().entries())
    pixels.data.set(
      SHADE.map((from, part) => from + ((GLOW[part] - from) * value) / 255),
      4 * place,
    );
  context.putImageData(pixels, 0, 0);
  return placed(canvas, area);
}

/** @param {Explanation} explanation */
export function frameOf({ area }) {
  return placed(element("div", { class: "fv-area" }), area);
}

/** @template {HTMLElement} Node @param {Node} node @param {Explanation["area"]} area */
function placed(node, [left, top, right, bottom]) {
  const share = (/** @type {number} */ part) => `${100 * part}%`;
  const box = { left: share(left), top: share(top), width: share(right - left), height: share(bottom - top) };
  Object.assign(node.style, box);
  return node;
}
