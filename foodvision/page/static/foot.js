// The foot of the page: about the model and the photos, and settings.
import { isBackground, knownOf } from "./describe.js";
import { element, ownsThePage, picker } from "./element.js";
import { words } from "./words.js";

/** @import { Classes } from "./types" */

const THEME = "foodvision-theme"; // where the browser remembers it

export function foot() {
  const promised = element("p", { class: "fv-promise" });
  const privacy = element("div", { class: "fv-row" }, promised);
  const model = element("p");
  const limits = element("p");
  const photos = element("p");
  const code = element("p");
  const part = (/** @type {string} */ title, /** @type {HTMLElement} */ text) => [element("h2", {}, title), text];
  const about = element(
    "details",
    { class: "fv-about" },
    element("summary", {}, words.about),
    ...part(words.aboutModel, model),
    ...part(words.aboutLimits, limits),
    ...part(words.aboutPhotos, photos),
    code,
  );
  const settings = element("div", { class: "fv-settings" }, ...(ownsThePage() ? [themePicker()] : []));
  return {
    node: element("footer", { class: "fv-foot" }, privacy, element("div", { class: "fv-row" }, about, settings)),
    privacy,
    settings,
    /** @param {Classes & { feedback_on: boolean, source?: string }} known */
    tell(known) {
      promised.textContent = known.feedback_on ? words.keptIfYouSay : words.notKept;
      model.textContent = words.aboutModelSaid(knownOf(known));
      limits.textContent = isBackground("not_food", known) ? words.aboutLimitsSaid : words.aboutLimitsSaidOfOthers;
      photos.textContent = words.aboutPhotosSaid;
      code.replaceChildren(...(known.source ? [element("a", { href: known.source }, words.source)] : []));
    },
  };
}

function themePicker() {
  const root = document.documentElement;
  const { node, select } = picker(
    words.appearance,
    [
      ["", words.system],
      ["light", words.light],
      ["dark", words.dark],
    ],
    (theme) => {
      root.dataset.fvTheme = theme;
      try {
        localStorage.setItem(THEME, theme);
      } catch {} // the browser keeps nothing; the theme lasts as long as the page
    },
  );
  try {
    select.value = localStorage.getItem(THEME) ?? "";
  } catch {}
  root.dataset.fvTheme = select.value;
  return node;
}
