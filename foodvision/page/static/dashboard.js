// The dashboard: photos in, an answer to each. One photo is shown large, several as cards.
import { makeCard } from "./card.js";
import { element, megabytes, ownsThePage, percent } from "./element.js";
import { talkTo } from "./kernel.js";
import { isDone, layOut } from "./page.js";
import { shrink } from "./photo.js";
import { goneNotice, keptPhotos } from "./reload.js";
import { verdictOn } from "./verdict.js";
import { acceptDrops, acceptPastes } from "./ways_in.js";

const START = 60000; // milliseconds that a photo waits for the app to start before the page says that it may have stopped

export default () => {
  // Every page that shows a kernel's model hears all its replies, and the kernel outlives a reload in JupyterLab: no two
  // requests to it may have the same id. (crypto.randomUUID would be missing without https.)
  let id = Math.floor(Math.random() * 2 ** 52);
  const nextId = () => ++id;
  return { render: ({ model, el }) => (takeDrawn() ?? openDashboard(el, settingsOf(model))).connect(model, nextId) };
};

// Voilà's template draws the dashboard before there is a kernel; the first widget on the page takes it over.
function takeDrawn() {
  const drawn = globalThis.foodvision;
  globalThis.foodvision = null;
  return drawn;
}

function settingsOf(model) {
  return { short_side: model.get("short_side"), max_bytes: model.get("max_bytes") };
}

// What works without a kernel works at once: photos are chosen, shown and made small. Their answers wait for `connect`.
export function openDashboard(el, { short_side, max_bytes }) {
  const view = new AbortController(); // ends what the view listens to
  const { signal } = view;
  const page = layOut(el, { look, clear, complain, answered });
  let connected; // called with what asks the kernel, once there is one
  const kernel = new Promise((resolve) => (connected = resolve));
  let choice = { photos: [] }; // what is on show, and the choice `before` it until it has an answer
  let work = new AbortController(); // ends the work on a choice when another is made
  let link = ""; // starts the app elsewhere

  const area = ownsThePage() ? document : el;
  acceptDrops(area, page.node, { look, complain, signal });
  acceptPastes(area, { look, signal });
  keptPhotos().then((files) => files.length && look(files));
  return { connect };

  function connect(model, nextId) {
    link = model.get("link");
    page.greet(model);
    connected(talkTo(model, nextId, { onSilence, onWord: () => page.notice.replaceChildren(), signal }));
    return () => view.abort();
  }

  function look(files) {
    complain();
    const photos = files.map((file) => ({ file, name: file.name, card: makeCard(file.name, files.length === 1) }));
    lookAt({ photos, before: choice });
  }

  function clear() {
    complain();
    lookAt({ photos: [] });
    page.node.querySelector("input").focus();
  }

  function complain(name, sentence) {
    page.complaint.replaceChildren(...(name ? [element("strong", {}, name), ` ${sentence}`] : []));
  }

  function onSilence() {
    page.notice.replaceChildren(goneNotice(() => choice.photos, link));
  }

  function answered() {
    return choice.photos.filter(isDone);
  }

  // The latest choice wins. One that turns out to be a single bad file costs nothing: the choice before it returns.
  async function lookAt(latest) {
    work.abort();
    work = new AbortController();
    const { signal } = work;
    choice = latest;
    page.show(choice.photos);
    const open = choice.photos.filter((photo) => !isDone(photo));
    for (const [place, photo] of open.entries()) {
      await prepare(photo);
      if (!signal.aborted && open[place + 1]) prepare(open[place + 1]); // while the kernel looks at this one
      if (!signal.aborted) await answer(photo, signal);
      if (signal.aborted) return;
      if (photo.answer) latest.before = null;
      page.tally(choice.photos);
    }
    const [photo] = choice.photos;
    if (choice.photos.length !== 1 || !photo.error) return;
    complain(photo.name, photo.error);
    lookAt(latest.before);
  }

  function prepare(photo) {
    photo.ready ??= read(photo);
    return photo.ready;
  }

  async function read(photo) {
    photo.card.say(`Reading ${photo.name}…`);
    photo.jpeg = await shrink(photo.file, short_side).catch(() => null);
    if (photo.jpeg) photo.shown = photo.card.show(photo.jpeg); // else the kernel sends a picture of it
  }

  async function answer(photo, signal) {
    const file = photo.jpeg ?? photo.file;
    if (file.size > max_bytes) return refuse(photo, tooLarge(file.size, max_bytes));
    const bytes = await file.arrayBuffer().catch(() => null);
    if (!bytes) return refuse(photo, "Your browser cannot read this file. Please choose it again.");
    const ask = await kernelFor(photo);
    if (signal.aborted) return;
    photo.card.say(`Looking at ${photo.name}…`);
    const reply = await ask({ shown: Boolean(photo.jpeg) }, bytes, {
      onPart: (share) => photo.card.say(`Sending ${photo.name}… ${percent(share)}`),
      signal,
    });
    if (!reply) return;
    if (reply.error) return refuse(photo, reply.error);
    if (reply.jpeg) photo.shown = photo.card.show((photo.jpeg = new Blob([reply.jpeg], { type: "image/jpeg" })));
    await photo.shown; // no answer stands beside another photo
    photo.answer = reply.answer;
    photo.card.answer(photo.answer, ...(reply.choices ? [verdictOn(photo.answer, reply.choices, tell)] : []));

    async function tell(truth, keep) {
      return ask({ about: reply.id, truth }, keep ? await photo.jpeg.arrayBuffer() : undefined);
    }
  }

  async function kernelFor(photo) {
    photo.card.say(`${photo.name} waits until the app has started…`);
    const tooLong = setTimeout(onSilence, START);
    return kernel.finally(() => {
      clearTimeout(tooLong);
      page.notice.replaceChildren();
    });
  }

  function refuse(photo, sentence) {
    photo.error = sentence;
    photo.card.refuse(sentence);
  }
}

function tooLarge(size, limit) {
  return (
    `Your browser cannot show this file, and at ${megabytes(size)} it is too large to send as it is ` +
    `(${megabytes(limit)} at most). Save it as a JPEG and choose that.`
  );
}
