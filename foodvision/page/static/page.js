// The page around the photos: what it offers above them, and what can be done with the answers below.
import { publicAddress } from "./address.js";
import { apiButton } from "./api.js";
import { arranger } from "./arrange.js";
import { isBackground } from "./describe.js";
import { element, ownsThePage } from "./element.js";
import { foot } from "./foot.js";
import { rememberDetail, wantsDishes } from "./fragment.js";
import { dropArea, exampleRow, questions } from "./offer.js";
import { shareButton } from "./share.js";
import { toolRow } from "./tools.js";
import { words } from "./words.js";

/** @import { About, Answerer, Classes, Complain, Example, Look, Photo, Settings } from "./types" */

/**
 * @typedef {{
 *   look: Look, clear: () => void, complain: Complain, redraw: () => void, tryExample: (example: Example) => void,
 *   answered: () => Photo[], classes: () => Classes,
 * }} Acts
 */

export class Page {
  notice = element("div");
  complaint = element("p", { class: "fv-complaint", role: "alert" });
  progress = progressLine();
  cards = element("div", { class: "fv-cards" });
  examples = element("div", { hidden: "" });
  foot = foot();
  places = { node: this.complaint, foot: this.foot.privacy }; // of answering on this device
  big = wantsDishes();
  address = "";
  /** @type {Photo[]} */
  photos = [];

  /** @param {HTMLElement} el @param {Settings} settings @param {Acts} acts */
  constructor(el, settings, acts) {
    this.settings = settings;
    this.acts = acts;
    this.questions = questions((big) => this.ask(big));
    this.questions.question.hidden = settings.invite === false;
    this.arranger = arranger(() => this.arrange(), acts.classes);
    this.tools = toolRow({ ...acts, state: () => this });
    this.node = element(
      "div",
      { class: "foodvision" },
      this.questions.question,
      element("div", { class: "fv-top" }, this.questions.options, dropArea(acts.look, acts.complain)),
      this.complaint,
      this.examples,
      this.notice,
      element("div", { class: "fv-bar-line" }, this.progress.node, this.arranger.node),
      this.cards,
      this.tools.node,
      this.foot.node,
    );
    el.append(this.node);
    this.tell(settings);
    this.show([]);
  }

  /** @param {Settings | About} about */
  tell(about) {
    this.questions.tell(about, this.big);
    this.foot.tell(about);
    this.node.toggleAttribute("data-food", isBackground("not_food", about));
    const { examples = [] } = about;
    const row = examples.length ? [exampleRow(examples, this.acts.tryExample)] : [];
    this.examples.replaceChildren(...row);
    this.examples.hidden = this.photos.length > 0 || !row.length;
  }

  /** @param {About} about @param {Answerer} answerer */
  greet(about, answerer) {
    this.tell(about);
    this.node.dataset.connected = "";
    this.address = about.link || (ownsThePage() && publicAddress(location)) || "";
    this.node.querySelector(".fv-share")?.remove();
    if (this.address) this.foot.settings.append(shareButton(this.address, answerer.qrCode));
    this.node.querySelector(".fv-use-api")?.remove();
    if (answerer.api) this.foot.settings.append(apiButton(answerer.api));
    this.tally(this.photos);
  }

  /** @param {boolean} big */
  ask(big) {
    this.big = big;
    rememberDetail(big);
    this.questions.tell(this.acts.classes(), big);
    this.acts.redraw();
  }

  /** @param {string} selector */
  focus(selector) {
    /** @type {HTMLElement | null} */ (this.node.querySelector(selector))?.focus();
  }

  /** @param {Photo[]} photos */
  show(photos) {
    const alone = photos.length === 1;
    this.photos = photos;
    this.examples.hidden = photos.length > 0 || !this.examples.firstChild;
    this.node.toggleAttribute("data-showing", photos.length > 0);
    this.cards.toggleAttribute("data-alone", alone);
    for (const { card } of photos) card.alone(alone);
    this.tally(photos);
  }

  /** @param {Photo[]} photos */
  tally(photos) {
    this.progress.tally(photos);
    this.tools.node.hidden = photos.length === 0;
    this.tools.tally(photos);
    this.arranger.node.hidden = photos.filter(isDone).length < 2;
    this.arrange();
  }

  // Moves only what is out of place: a card that is moved loses the keyboard's focus.
  arrange() {
    const nodes = this.arranger.arrange(this.photos).map(({ card }) => card.node);
    for (const node of [...this.cards.children]) if (!nodes.includes(/** @type {HTMLElement} */ (node))) node.remove();
    for (const [place, node] of nodes.entries()) {
      if (this.cards.children[place] !== node) this.cards.insertBefore(node, this.cards.children[place] ?? null);
    }
  }
}

/** @param {Photo} photo */
export function isDone(photo) {
  return Boolean(photo.prediction || photo.error);
}

function progressLine() {
  const bar = element("progress", { "aria-label": words.progress });
  const said = element("span", { role: "status" });
  const node = element("p", { class: "fv-progress", hidden: "" }, bar, said);
  return {
    node,
    /** @param {Photo[]} photos */
    tally(photos) {
      const done = photos.filter(isDone).length;
      const bad = photos.filter((photo) => photo.error).length;
      node.hidden = photos.length < 2;
      bar.hidden = done === photos.length;
      bar.max = photos.length;
      bar.value = done;
      said.textContent = bad ? words.tallyWithBad(done, photos.length, bad) : words.tally(done, photos.length);
    },
  };
}
