// The dashboard: photos in, an answer to each. One photo is shown large, several as cards.
import { makeCard } from "./card.js";
import { element, ownsThePage } from "./element.js";
import { acceptDrops, acceptPastes } from "./inputs.js";
import { kernelAnswerer } from "./kernel.js";
import { isDone, Page } from "./page.js";
import { shrink } from "./photo.js";
import { goneNotice, keptPhotos, onReturn, reload } from "./reload.js";
import { verdictOn } from "./verdict.js";
import { doing, leftOut, tooLarge, UNREADABLE } from "./words.js";

/** @import { About, Answer, Answerer, Line, Model, Photo, Settings } from "./types" */
/** @typedef {{ photos: Photo[], before: Choice | null }} Choice */

const START_MS = 60_000; // that a photo waits for the app to start before the page says that it may have stopped
const NOTHING = { photos: [], before: null };

export default () => {
  // Every page that shows a kernel's model hears all its replies, and the kernel outlives a reload in JupyterLab: no two
  // requests to it may have the same id. (crypto.randomUUID would be missing without https.)
  let id = Math.floor(Math.random() * 2 ** 52);
  const nextId = () => ++id;
  return {
    /** @param {{ model: Model, el: HTMLElement }} widget */
    render({ model, el }) {
      const dashboard =
        takeDrawn() ?? openDashboard(el, read(model, "short_side", "max_bytes", "feedback_on", "titles", "background"));
      return dashboard.connect(
        (line) => kernelAnswerer(model, nextId, line),
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
 * What works without an answerer works at once: photos are chosen, shown and made small. Their answers wait for
 * `connect`.
 * @param {HTMLElement} el
 * @param {Settings} settings
 */
export function openDashboard(el, settings) {
  const { short_side, max_bytes } = settings;
  const view = new AbortController(); // ends what the view listens to
  const { signal } = view;
  const page = new Page(el, settings, { look, clear, complain, answered, classes: () => about });
  /** @type {(answerer: Answerer) => void} */
  let connected;
  /** @type {Promise<Answerer>} */
  const answering = new Promise((resolve) => (connected = resolve));
  /** @type {Answerer | undefined} */
  let answerer;
  let about = { ...settings, link: "" };
  /** @type {Choice} */
  let choice = NOTHING; // what is on show, and the choice `before` it until it has an answer
  let work = new AbortController(); // ends the work on a choice when another is made

  const area = ownsThePage() ? document : el;
  acceptDrops(area, page.node, { look, complain, signal });
  acceptPastes(area, { look, signal });
  onReturn({ restored, awake: () => answerer?.check?.(), signal });
  takeUpKept();
  return { connect };

  /**
   * Gives the waiting photos to whoever answers; returns what ends the view.
   * @param {(line: Line) => Answerer} makeAnswerer
   * @param {About} said
   */
  function connect(makeAnswerer, said) {
    about = { ...settings, ...said };
    answerer = makeAnswerer({ onGone, onBack: () => page.notice.replaceChildren(), signal });
    page.greet(about, answerer);
    connected(answerer);
    return () => view.abort();
  }

  async function takeUpKept() {
    const kept = await keptPhotos();
    if (kept.files.length) look(kept.files);
    if (kept.leftOut) page.complaint.textContent = leftOut(kept.leftOut);
  }

  /** @param {File[]} files */
  function look(files) {
    complain();
    const photos = files.map((file) => ({ file, name: file.name, card: makeCard(file.name, files.length === 1) }));
    lookAt({ photos, before: choice });
  }

  function clear() {
    complain();
    lookAt(NOTHING);
    page.node.querySelector("input")?.focus();
  }

  /** @param {string} [subject] @param {string} [sentence] */
  function complain(subject, sentence) {
    page.complaint.replaceChildren(...(subject ? [element("strong", {}, subject), ` ${sentence}`] : []));
  }

  function onGone() {
    if (!page.notice.firstChild) page.notice.replaceChildren(goneNotice(() => choice.photos, about.link));
  }

  function restored() {
    if (ownsThePage()) reload(choice.photos);
  }

  function answered() {
    return choice.photos.filter(isDone);
  }

  // The latest choice wins. One that turns out to be a single bad file costs nothing: the choice before it returns.
  /** @param {Choice | null} latest */
  async function lookAt(latest) {
    work.abort();
    work = new AbortController();
    const { signal } = work;
    choice = latest ?? NOTHING;
    page.show(choice.photos);
    const open = choice.photos.filter((photo) => !isDone(photo));
    for (const [place, photo] of open.entries()) {
      await prepare(photo);
      if (!signal.aborted && open[place + 1]) prepare(open[place + 1]); // while the answerer looks at this one
      if (!signal.aborted) await answer(photo, signal);
      if (signal.aborted) return;
      if (photo.prediction) choice.before = null;
      page.tally(choice.photos);
    }
    const [photo] = choice.photos;
    if (choice.photos.length !== 1 || !photo.error) return;
    complain(photo.name, photo.error);
    lookAt(choice.before);
  }

  /** @param {Photo} photo */
  function prepare(photo) {
    photo.ready ??= makeSmall(photo);
    return photo.ready;
  }

  /** @param {Photo} photo */
  async function makeSmall(photo) {
    photo.card.say(doing.reading(photo.name));
    photo.jpeg = await shrink(photo.file, short_side).catch(() => null);
    if (photo.jpeg) photo.shown = photo.card.show(photo.jpeg); // else the answer brings a picture of it
  }

  /** @param {Photo} photo @param {AbortSignal} signal */
  async function answer(photo, signal) {
    const file = photo.jpeg ?? photo.file;
    if (file.size > max_bytes) return refuse(photo, tooLarge(file.size, max_bytes));
    if (!(await isReadable(file))) return refuse(photo, UNREADABLE);
    const answerer = await answererFor(photo);
    if (signal.aborted) return;
    photo.card.say(doing.looking(photo.name));
    const onProgress = (/** @type {number} */ share) => photo.card.say(doing.sending(photo.name, share));
    const reply = await answerer.answer(file, { needsPicture: !photo.jpeg, onProgress, signal });
    if (!reply) return;
    if ("error" in reply) return refuse(photo, reply.error);
    if (reply.picture) {
      photo.jpeg = reply.picture;
      photo.shown = photo.card.show(photo.jpeg);
    }
    await photo.shown; // no answer stands beside another photo
    photo.prediction = reply.prediction;
    photo.card.answer(photo.prediction, about, ...verdict(photo, reply));
  }

  /** @param {Photo} photo @param {Answer} answer */
  function verdict(photo, { prediction, judge }) {
    if (!judge) return [];
    return [verdictOn(prediction, about, (truth, keepPhoto) => judge(truth, (keepPhoto && photo.jpeg) || undefined))];
  }

  /** @param {Photo} photo */
  async function answererFor(photo) {
    photo.card.say(doing.waiting(photo.name));
    const tooLong = setTimeout(onGone, START_MS);
    return answering.finally(() => clearTimeout(tooLong));
  }

  /** @param {Photo} photo @param {string} sentence */
  function refuse(photo, sentence) {
    photo.error = sentence;
    photo.card.refuse(sentence);
  }
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
