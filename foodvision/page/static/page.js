// What stands around the photos: the ways in above them, what can be done with the answers below.
import { publicAddress } from "./address.js";
import { cameraButton } from "./camera.js";
import { button, element, onPhone, ownsThePage } from "./element.js";
import { chooser } from "./inputs.js";
import { saveButtons } from "./save.js";
import { shareButton } from "./share.js";
import { invitation, promise, tally } from "./words.js";

/** @import { About, Answerer, Classes, Complain, Look, Photo, Settings } from "./types" */

/**
 * @param {HTMLElement} el
 * @param {Settings} settings
 * @param {{ look: Look, clear: () => void, complain: Complain, answered: () => Photo[], classes: () => Classes }} page
 */
export function layOut(el, settings, { look, clear, complain, answered, classes }) {
  const invite = element("p", { class: "fv-invite" });
  const promised = element("span");
  const notice = element("div");
  const complaint = element("p", { class: "fv-complaint", role: "alert" });
  const progress = progressLine();
  const cards = element("div", { class: "fv-cards" });
  const saves = saveButtons(answered, classes);
  const tools = element(
    "div",
    { class: "fv-tools", role: "group", "aria-label": "Answers" },
    button("Clear", clear),
    saves,
  );
  const node = element(
    "div",
    { class: "foodvision" },
    invite,
    element(
      "div",
      { class: "fv-ways" },
      chooser("Choose a photo", { multiple: "" }, look),
      cameraButton(look, complain),
    ),
    element("p", { class: "fv-hint" }, hint(), " ", promised),
    notice,
    complaint,
    progress.node,
    cards,
    tools,
  );
  el.append(node);

  const page = {
    node,
    notice,
    complaint,
    /** @param {Classes & { feedback_on: boolean }} about */
    tell(about) {
      invite.textContent = settings.invite === false ? "" : invitation(about);
      invite.hidden = !invite.textContent;
      promised.textContent = promise(about.feedback_on);
    },
    /** @param {About} about @param {Answerer} answerer */
    greet(about, answerer) {
      this.tell(about);
      node.dataset.connected = "";
      const address = about.link || (ownsThePage() && publicAddress(location));
      if (address) node.append(shareButton(address, answerer.qrCode));
    },
    /** @param {Photo[]} photos */
    show(photos) {
      cards.replaceChildren(...photos.map((photo) => photo.card.node));
      this.tally(photos);
    },
    /** @param {Photo[]} photos */
    tally(photos) {
      progress.tally(photos);
      tools.hidden = photos.length === 0;
      saves.hidden = !photos.some((photo) => photo.prediction);
    },
  };
  page.tell(settings);
  page.show([]);
  return page;
}

/** @param {Photo} photo */
export function isDone(photo) {
  return Boolean(photo.prediction || photo.error);
}

function hint() {
  return onPhone() ? "One or several." : "One or several; you can drop or paste them here, too.";
}

function progressLine() {
  const bar = element("progress", { "aria-label": "Photos done" });
  const words = element("span", { role: "status" });
  const node = element("p", { class: "fv-progress", hidden: "" }, bar, words);
  return {
    node,
    /** @param {Photo[]} photos */
    tally(photos) {
      const done = photos.filter(isDone).length;
      node.hidden = photos.length < 2;
      bar.max = photos.length;
      bar.value = done;
      words.textContent = tally(done, photos.length, photos.filter((photo) => photo.error).length);
    },
  };
}
