// The dashboard: photos in, an answer to each. One photo is shown large, several as cards.
import { makeCard } from "./card.js";
import { mountDevice } from "./device_switch.js";
import { element, ownsThePage } from "./element.js";
import { acceptDrops, acceptPastes } from "./inputs.js";
import { kernelAnswerer } from "./kernel.js";
import { isDone, Page } from "./page.js";
import { shrink } from "./photo.js";
import { goneNotice, keptPhotos, onReturn, reload } from "./reload.js";
import { verdictOn } from "./verdict.js";
import { doing, leftOut, tooLarge, UNREADABLE } from "./words.js";

/** @import { About, Answer, Answerer, ConnectionEvents, Model, Photo, Prepare, Settings } from "./types" */
/** @typedef {{ photos: Photo[], before: Choice | null }} Choice */

const START_TIMEOUT_MS = 60_000; // a photo waits so long for the app to start before the page says it may have stopped
const NOTHING = { photos: [], before: null };

export default () => {
  // Every page that shows a kernel's model receives all of its replies, and in JupyterLab the kernel outlives a reload. So
  // no two requests to it may have the same id. (crypto.randomUUID only exists with https.)
  let id = Math.floor(Math.random() * 2 ** 52);
  const nextId = () => ++id;
  return {
    /** @param {{ model: Model, el: HTMLElement }} widget */
    render({ model, el }) {
      const dashboard =
        takeDrawn() ?? openDashboard(el, read(model, "short_side", "max_bytes", "feedback_on", "titles", "background"));
      return dashboard.connect(
        (events) => kernelAnswerer(model, nextId, events),
        read(model, "feedback_on", "titles", "background", "link"),
      );
    },
  };
};

// Voilà's template draws the dashboard before there is a kernel; the first widget on the page takes it over.
function takeDrawn() {
  const drawn = globalThis.foodvision;
  globalThis.foodvision = null;
  return drawn;
}

/** @param {Model} model @param {...string} names @returns {any} */
function read(model, ...names) {
  return Object.fromEntries(names.map((name) => [name, model.get(name)]));
}

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
    this.about = { ...settings, link: "" };
    const { signal } = this.view;
    const look = this.look.bind(this);
    const complain = this.complain.bind(this);
    const answered = () => this.choice.photos.filter(isDone);
    this.page = new Page(el, settings, {
      look,
      complain,
      answered,
      clear: () => this.clear(),
      classes: () => this.about,
    });
    const changed = () => this.deviceChanged();
    this.device = mountDevice(settings, this.page.notice, { look, complain, classes: () => this.about, changed });
    const area = ownsThePage() ? document : el;
    acceptDrops(area, this.page.node, { look, complain, signal });
    acceptPastes(area, { look, signal });
    onReturn({ restored: () => this.restored(), awake: () => this.device.on || this.answerer?.check?.(), signal });
    this.takeUpKept();
  }

  /**
   * Gives the waiting photos to an answerer; returns a function that ends the view.
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
    this.connected(this.answerer);
    return () => this.view.abort();
  }

  async takeUpKept() {
    const kept = await keptPhotos();
    if (kept.files.length) this.look(kept.files);
    if (kept.leftOut) this.page.complaint.textContent = leftOut(kept.leftOut);
  }

  /** @param {File[]} files */
  look(files) {
    this.complain();
    const photos = files.map((file) => ({ file, name: file.name, card: makeCard(file.name, files.length === 1) }));
    this.lookAt({ photos, before: this.choice });
  }

  clear() {
    this.complain();
    this.lookAt(NOTHING);
    this.page.node.querySelector("input")?.focus();
  }

  /** @param {string} [subject] @param {string} [sentence] */
  complain(subject, sentence) {
    this.page.complaint.replaceChildren(...(subject ? [element("strong", {}, subject), ` ${sentence}`] : []));
  }

  onGone() {
    if (this.device.on) return;
    this.device.offer();
    const { notice } = this.page;
    if (!notice.firstChild) notice.append(goneNotice(() => this.choice.photos, this.prepare, this.about.link));
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
      if (photo.prediction) choice.before = null;
      this.page.tally(choice.photos);
    }
    const [photo] = choice.photos;
    if (choice.photos.length !== 1 || !photo.error) return;
    this.complain(photo.name, photo.error);
    this.lookAt(choice.before);
  }

  /** @type {Prepare} */
  prepare = (photo) => {
    photo.ready ??= this.makeSmall(photo);
    return photo.ready;
  };

  /** @param {Photo} photo */
  async makeSmall(photo) {
    photo.card.say(doing.reading(photo.name));
    photo.jpeg = await shrink(photo.file, this.settings.short_side).catch(() => null);
    if (photo.jpeg) photo.shown = photo.card.show(photo.jpeg); // otherwise the answer comes with a picture
  }

  /** @param {Photo} photo @param {AbortSignal} signal */
  async answer(photo, signal) {
    const file = photo.jpeg ?? photo.file;
    const limit = this.settings.max_bytes;
    if (file.size > limit) return refuse(photo, tooLarge(file.size, limit));
    if (!(await isReadable(file))) return refuse(photo, UNREADABLE);
    const answerer = await this.answererFor(photo);
    if (signal.aborted) return;
    photo.card.say(doing.looking(photo.name));
    const onProgress = (/** @type {number} */ share) => photo.card.say(doing.sending(photo.name, share));
    const reply = await answerer.answer(file, { original: photo.file, needsPicture: !photo.jpeg, onProgress, signal });
    if (!reply) return;
    if ("error" in reply) return refuse(photo, reply.error);
    if (reply.picture) {
      photo.jpeg = reply.picture;
      photo.shown = photo.card.show(photo.jpeg);
    }
    await photo.shown; // so an answer never appears beside another photo
    photo.prediction = reply.prediction;
    photo.card.answer(photo.prediction, this.about, ...this.verdict(photo, reply));
  }

  /** @param {Photo} photo @param {Answer} answer */
  verdict(photo, { prediction, judge }) {
    if (!judge) return [];
    return [verdictOn(prediction, this.about, (truth, keep) => judge(truth, (keep && photo.jpeg) || undefined))];
  }

  /** @param {Photo} photo */
  async answererFor(photo) {
    photo.card.say(doing.waiting(photo.name));
    const tooLong = setTimeout(() => this.onGone(), START_TIMEOUT_MS);
    return this.device.or(this.answering).finally(() => clearTimeout(tooLong));
  }
}

/** @param {Photo} photo @param {string} sentence */
function refuse(photo, sentence) {
  photo.error = sentence;
  photo.card.refuse(sentence);
}

/** @param {Blob} file */
function isReadable(file) {
  return file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
}
