// The page around the photos: ways to add them above, and what can be done with the answers below.
import { publicAddress } from "./address.js";
import { apiButton } from "./api.js";
import { cameraButton } from "./camera.js";
import { button, element, onPhone, ownsThePage } from "./element.js";
import { chooser } from "./inputs.js";
import { saveButtons } from "./save.js";
import { shareButton } from "./share.js";
import { hint, invitation, labels, promise, tally } from "./words.js";

/** @import { About, Answerer, Classes, Complain, Look, Photo, Settings } from "./types" */

/** @typedef {{ look: Look, clear: () => void, complain: Complain, answered: () => Photo[], classes: () => Classes }} Acts */

export class Page {
  notice = element("div");
  complaint = element("p", { class: "fv-complaint", role: "alert" });
  invite = element("p", { class: "fv-invite" });
  promised = element("span");
  progress = progressLine();
  cards = element("div", { class: "fv-cards" });

  /** @param {HTMLElement} el @param {Settings} settings @param {Acts} acts */
  constructor(el, settings, acts) {
    this.settings = settings;
    this.saves = saveButtons(acts.answered, acts.classes);
    const label = { class: "fv-tools", role: "group", "aria-label": labels.answers };
    this.tools = element("div", label, button(labels.clear, acts.clear), this.saves);
    const choose = chooser(labels.choose, { multiple: "" }, acts.look);
    this.node = element(
      "div",
      { class: "foodvision" },
      this.invite,
      element("div", { class: "fv-ways" }, choose, cameraButton(acts.look, acts.complain)),
      element("p", { class: "fv-hint" }, hint(onPhone()), " ", this.promised),
      this.notice,
      this.complaint,
      this.progress.node,
      this.cards,
      this.tools,
    );
    el.append(this.node);
    this.tell(settings);
    this.show([]);
  }

  /** @param {Classes & { feedback_on: boolean }} about */
  tell(about) {
    this.invite.textContent = this.settings.invite === false ? "" : invitation(about);
    this.invite.hidden = !this.invite.textContent;
    this.promised.textContent = promise(about.feedback_on);
  }

  /** @param {About} about @param {Answerer} answerer */
  greet(about, answerer) {
    this.tell(about);
    this.node.dataset.connected = "";
    const address = about.link || (ownsThePage() && publicAddress(location));
    if (address) this.node.append(shareButton(address, answerer.qrCode));
    if (answerer.api) this.node.append(apiButton(answerer.api));
  }

  /** @param {Photo[]} photos */
  show(photos) {
    this.cards.replaceChildren(...photos.map((photo) => photo.card.node));
    this.tally(photos);
  }

  /** @param {Photo[]} photos */
  tally(photos) {
    this.progress.tally(photos);
    this.tools.hidden = photos.length === 0;
    this.saves.hidden = !photos.some((photo) => photo.prediction);
  }
}

/** @param {Photo} photo */
export function isDone(photo) {
  return Boolean(photo.prediction || photo.error);
}

function progressLine() {
  const bar = element("progress", { "aria-label": labels.progress });
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
