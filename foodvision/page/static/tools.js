// What can be done with the answers on show.
import { button, element, menu } from "./element.js";
import { linkTo } from "./fragment.js";
import { icon } from "./icons.js";
import { saveCsv, saveJson, savePictures, toJson } from "./save.js";
import { canShare, copy, shareAnswer } from "./share.js";
import { words } from "./words.js";

/** @import { Classes, Photo } from "./types" */
/** @typedef {{ big: boolean, address: string }} PageState whether dishes are asked for, and the address to share */

/**
 * @param {{ answered: () => Photo[], classes: () => Classes, state: () => PageState, clear: () => void }} acts
 */
export function toolRow({ answered, classes, state, clear }) {
  const said = element("span", { class: "fv-hint", role: "status" });
  const run = (/** @type {() => Promise<string>} */ act) => async () => {
    said.textContent = await act();
  };
  const only = () => answered()[0];
  const share = withIcon(
    "share",
    button(
      words.share,
      run(() => shareAnswer(only(), classes(), state())),
    ),
  );
  const draw = withIcon(
    "save",
    button(words.savePicture, async () => {
      draw.disabled = true;
      said.textContent = await savePictures(answered(), classes(), state()).catch(() => words.notSaved);
      draw.disabled = false;
    }),
  );
  const again = button(words.clear, clear);
  const link = button(
    words.copyLink,
    run(() => copyLink(only(), state())),
  );
  const more = menu(
    words.more,
    link,
    button(
      words.copyJson,
      run(() => copy(toJson(answered()), words.jsonNotCopied)),
    ),
    button(words.saveJson, () => saveJson(answered())),
    button(words.saveCsv, () => saveCsv(answered())),
  );
  return {
    node: element(
      "div",
      { class: "fv-tools", role: "group", "aria-label": words.answers },
      share,
      draw,
      again,
      more,
      said,
    ),
    /** @param {Photo[]} photos */
    tally(photos) {
      const own = photos.some(({ prediction, linked }) => prediction && !linked);
      const alone = photos.length === 1;
      share.hidden = !(alone && own && canShare(state().address));
      link.hidden = !(alone && own && state().address);
      draw.hidden = more.hidden = !own;
      again.replaceChildren(icon("again"), alone ? words.tryAnother : words.clear);
      said.textContent = "";
    },
  };
}

/** @param {Photo} photo @param {PageState} state */
async function copyLink({ prediction }, { address, big }) {
  return prediction ? copy(linkTo(address, prediction, big), words.linkNotCopied) : "";
}

/** @param {"share" | "save"} drawing @param {HTMLButtonElement} button */
function withIcon(drawing, button) {
  button.prepend(icon(drawing));
  return button;
}
