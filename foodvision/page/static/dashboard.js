// The dashboard: photos in, an answer to each. One photo is shown large, several as cards.
import { askAbout, makeSmall } from "./asking.js";
import { makeCard } from "./card.js";
import { describe } from "./describe.js";
import { mountDevice } from "./device_switch.js";
import { element, ownsThePage } from "./element.js";
import { forgetLinked, linkedAnswer } from "./fragment.js";
import { whyButton } from "./heat.js";
import { acceptDrops, acceptPastes } from "./inputs.js";
import { isDone, Page } from "./page.js";
import { goneNotice, keptPhotos, onReturn, reload } from "./reload.js";
import { verdictOn } from "./verdict.js";
import { words } from "./words.js";

/** @import { About, Answer, Answerer, ConnectionEvents, Example, Photo, Prepare, Settings } from "./types" */
/** @typedef {{ photos: Photo[], before: Choice | null }} Choice */

const START_TIMEOUT_MS = 60_000; // a photo waits so long for the app to start before the page says it may have stopped
const NOTHING = { photos: [], before: null };

/**
 * What needs no answerer works at once: photos can be chosen, shown and shrunk. Their answers wait for `connect`.
 * @param {HTMLElement} el
 * @param {Settings} settings
 */
export function openDashboard(el, settings) {
  return new Dashboard(el, settings);
}

class Dashboard {
  view = new AbortController(); // aborted when the view ends, to remove its listeners
  work = new AbortController(); // aborted when other photos are chosen
  /** @type {Choice} */
  choice = NOTHING; // the photos that are shown and, until one of them has an answer, the choice `before` them
  /** @type {Answerer | undefined} */
  answerer;
  /** @type {(answerer: Answerer) => void} */
  connected = () => {};
  /** @type {Promise<Answerer>} */
  answering = new Promise((resolve) => {
    this.connected = resolve;
  });

  /** @param {HTMLElement} el @param {Settings} settings */
  constructor(el, settings) {
    this.settings = settings;
    /** @type {Settings & About} */
    this.about = { ...settings, link: "" };
    const { signal } = this.view;
    const look = this.look.bind(this);
    const complain = this.complain.bind(this);
    this.page = new Page(el, settings, {
      look,
      complain,
      answered: () => this.choice.photos.filter((photo) => isDone(photo) && !photo.linked),
      clear: () => this.clear(),
      classes: () => this.about,
      redraw: () => this.redraw(),
      tryExample: (example) => this.tryExample(example),
    });
    const changed = () => this.deviceChanged();
    this.device = mountDevice(settings, this.page.places, { look, complain, classes: () => this.about, changed });
    const area = ownsThePage() ? document : el;
    acceptDrops(area, this.page.node, { look, complain, signal });
    acceptPastes(area, { look, signal });
    onReturn({ restored: () => this.restored(), awake: () => this.device.on || this.answerer?.check?.(), signal });
    this.showLinked();
    this.takeUpKept();
  }

  /**
   * Gives the waiting photos to an answerer, and all later ones; returns a function that ends the view.
   * @param {(events: ConnectionEvents) => Answerer} makeAnswerer
   * @param {About} about
   */
  connect(makeAnswerer, about) {
    this.about = { ...this.settings, ...about };
    const onBack = () => {
      this.page.notice.replaceChildren();
      this.device.withdraw();
    };
    this.answerer = makeAnswerer({ onGone: () => this.onGone(), onBack, signal: this.view.signal });
    this.page.greet(this.about, this.answerer);
    this.showLinked();
    this.connected(this.answerer);
    return () => this.view.abort();
  }

  async takeUpKept() {
    const { files, leftOut } = await keptPhotos();
    if (files.length) this.look(files);
    if (leftOut) this.page.complaint.textContent = leftOut === 1 ? words.leftOutOne : words.leftOut(leftOut);
  }

  // A single photo replaces a single one; otherwise new photos join those on show.
  /** @param {File[]} files */
  look(files) {
    this.complain();
    const shown = this.choice.photos.filter(({ linked }) => !linked);
    const photos = files.map((file) => this.newPhoto(file));
    if (ownsThePage()) scrollTo(0, 0); // where the answer appears
    const joins = shown.length > 1 || (shown.length === 1 && files.length > 1);
    this.lookAt(joins ? { photos: [...photos, ...shown], before: null } : { photos, before: this.choice });
  }

  /** @param {Blob & { name?: string }} file @returns {Photo} */
  newPhoto(file, name = file.name ?? "") {
    /** @type {Photo} */
    const photo = { file, name, card: makeCard(name, () => this.remove(photo)) };
    return photo;
  }

  clear() {
    this.complain();
    forgetLinked();
    this.lookAt(NOTHING);
    this.page.focus("input[type=file]");
  }

  /** @param {Photo} photo */
  remove(photo) {
    const { photos, before } = this.choice;
    this.lookAt({ photos: photos.filter((other) => other !== photo), before });
    this.page.focus(".fv-remove:not([hidden]), input[type=file]");
  }

  /** @param {Example} example */
  async tryExample({ name, address }) {
    this.complain();
    const whole = address ? await fetch(address).then((reply) => reply.blob()) : await this.exampleOf(name);
    if ("error" in whole) this.complain(name, whole.error);
    else this.look([new File([whole], name, { type: whole.type })]);
  }

  /** @param {string} name */
  async exampleOf(name) {
    const answerer = await this.answering;
    return answerer.example ? answerer.example(name) : { error: words.noExample };
  }

  showLinked() {
    const prediction = linkedAnswer(this.about);
    if (!prediction || this.choice.photos.length) return;
    const photo = { ...this.newPhoto(new Blob(), words.linked), prediction, linked: true };
    this.say(photo);
    photo.card.extend(element("p", { class: "fv-hint" }, words.linkedSaid));
    this.lookAt({ photos: [photo], before: null });
  }

  /** @param {string} [subject] @param {string} [sentence] */
  complain(subject, sentence) {
    this.page.complaint.replaceChildren(...(subject ? [element("strong", {}, subject), ` ${sentence}`] : []));
  }

  onGone() {
    if (this.device.on) return;
    this.device.offer();
    if (!this.page.notice.firstChild)
      this.page.notice.append(goneNotice(() => this.choice.photos, this.prepare, this.about.link));
  }

  // What has no answer yet gets one from the other answerer.
  deviceChanged() {
    this.page.notice.replaceChildren();
    this.lookAt(this.choice);
  }

  restored() {
    if (ownsThePage() && !this.device.on) reload(this.choice.photos, this.prepare);
  }

  // The latest choice wins. If it turns out to be a single bad file, the choice before it comes back.
  /** @param {Choice | null} latest */
  async lookAt(latest) {
    this.work.abort();
    this.work = new AbortController();
    const { signal } = this.work;
    const choice = latest ?? NOTHING;
    this.choice = choice;
    this.page.show(choice.photos);
    const open = choice.photos.filter((photo) => !isDone(photo));
    for (const [place, photo] of open.entries()) {
      await this.prepare(photo);
      if (!signal.aborted && open[place + 1]) this.prepare(open[place + 1]); // while the answerer looks at this one
      if (!signal.aborted) await this.answer(photo, signal);
      if (signal.aborted) return;
      if (photo.prediction) {
        choice.before = null;
        forgetLinked();
      }
      this.page.tally(choice.photos);
    }
    const [photo] = choice.photos;
    if (choice.photos.length !== 1 || !photo.error) return;
    this.complain(photo.name, photo.error);
    this.lookAt(choice.before);
  }

  /** @type {Prepare} */
  prepare = (photo) => {
    photo.ready ??= makeSmall(photo, this.settings.short_side);
    return photo.ready;
  };

  /** @param {Photo} photo @param {AbortSignal} signal */
  async answer(photo, signal) {
    const reply = await askAbout(photo, () => this.answererFor(photo), { limit: this.settings.max_bytes, signal });
    if (!reply) return;
    photo.prediction = reply.prediction;
    this.say(photo);
    this.extend(photo, reply);
  }

  /** @param {Photo} photo */
  async answererFor(photo) {
    photo.card.say(words.waiting(photo.name));
    const tooLong = setTimeout(() => this.onGone(), START_TIMEOUT_MS);
    const first = await this.device.or(this.answering).finally(() => clearTimeout(tooLong));
    return this.device.on ? first : (this.answerer ?? first);
  }

  /** @param {Photo} photo */
  say(photo) {
    if (!photo.prediction) return;
    photo.hideWhy?.();
    photo.said = describe(photo.prediction, this.about, this.page.big);
    photo.card.answer(photo.said);
  }

  redraw() {
    for (const photo of this.choice.photos) this.say(photo);
    this.page.tally(this.choice.photos);
  }

  /** Adds to a card what can be asked about its answer. @param {Photo} photo @param {Answer} answer */
  extend(photo, { prediction, judge }) {
    const label = () => photo.said?.label ?? prediction.label;
    const explainer = () => (this.device.on ? this.device.answerer : this.answerer); // now: it may have been switched
    const { jpeg } = photo;
    if (jpeg && explainer()?.explain) {
      const why = whyButton(photo.card, async () => explainer()?.explain?.(jpeg, label()));
      photo.hideWhy = why.hide;
      photo.card.extend(why.node);
    }
    const keep = (/** @type {string} */ truth, /** @type {boolean} */ photoToo) =>
      /** @type {NonNullable<typeof judge>} */ (judge)(truth, photoToo && jpeg ? jpeg : undefined);
    if (judge) photo.card.extend(verdictOn(prediction, this.about, label, keep));
  }
}
