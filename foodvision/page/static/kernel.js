// The kernel as an answerer.
//
// A request is {id, size, ...} and `size` bytes, in parts, so that the page can say how much has arrived. The kernel
// answers each part with {id, received}, and the last with the reply: {id, prediction}, {id, photo_kept}, {id, qr_code},
// {id, pong} or {id, error}.

/** @import { Answerer, Line, Model } from "./types" */

const PART = 2 ** 17; // bytes: a second and a half on a slow phone
const IN_FLIGHT = 2; // parts: the next is on its way while one is acknowledged
const SILENCE_MS = 6000; // without a word, after which the kernel is taken for gone
const PING_MS = 2500; // without a word, after which a page that has slept connects anew
const ENDED = ["dead", "restarting", "autorestarting"]; // states of a kernel whose dashboard is gone

/**
 * `nextId` gives a number that no other request to this kernel has.
 * @param {Model} model
 * @param {() => number} nextId
 * @param {Line} line
 * @returns {Answerer}
 */
export function kernelAnswerer(model, nextId, line) {
  const { ask, check } = talkTo(model, nextId, line);
  const judge = (/** @type {number} */ about) => async (/** @type {string} */ truth, /** @type {Blob=} */ photo) => {
    const reply = await ask({ about, truth }, { bytes: await photo?.arrayBuffer() });
    return reply.error ? reply : { photo: reply.photo_kept };
  };
  return {
    check,
    async answer(photo, { needsPicture, onProgress, signal }) {
      const reply = await ask({ shown: !needsPicture }, { bytes: await photo.arrayBuffer(), onProgress, signal });
      if (!reply || reply.error) return reply;
      return {
        prediction: reply.prediction,
        ...(reply.picture && { picture: new Blob([reply.picture], { type: "image/jpeg" }) }),
        ...(model.get("feedback_on") && { judge: judge(reply.id) }),
      };
    },
    qrCode: async (text) => (await ask({ qr: text })).qr_code,
  };
}

/** @param {Model} model @param {() => number} nextId @param {Line} line */
function talkTo(model, nextId, { onGone, onBack, signal }) {
  /** @type {Map<number, { hear: (word: any, picture?: ArrayBuffer) => void, restart: () => void }>} */
  const waiting = new Map(); // requests without a reply, by id
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let silence;
  let closed = false; // the channel to the dashboard, as when the kernel restarts
  let words = 0; // heard so far
  let checking = false;

  const kernel = model.widget_manager?.kernel;
  const note = (/** @type {unknown} */ _, /** @type {string} */ status) => ENDED.includes(status) && close();
  const listeners = { "msg:custom": hear, "comm:close": close, destroy: close };
  for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
  kernel?.statusChanged?.connect(note);
  signal.addEventListener("abort", () => {
    for (const [event, listener] of Object.entries(listeners)) model.off(event, listener);
    kernel?.statusChanged?.disconnect(note);
    clearTimeout(silence);
  });
  return { ask, check };

  function hear(/** @type {any} */ word, /** @type {ArrayBuffer[]} */ [picture] = []) {
    words++;
    waiting.get(word.id)?.hear(word, picture);
    onBack();
    listen();
  }

  function close() {
    closed = true;
    if (waiting.size && !signal.aborted) onGone();
  }

  function listen() {
    clearTimeout(silence);
    if (waiting.size) silence = setTimeout(onGone, SILENCE_MS);
  }

  // A kernel known to be dead throws at once, and so does a channel that is closed.
  function send(/** @type {object} */ content, /** @type {ArrayBuffer[]} */ parts = []) {
    if (closed) return onGone();
    try {
      model.send(content, undefined, parts);
    } catch {
      onGone();
    }
  }

  /**
   * Resolves to the kernel's reply, or to null when `signal` says that nobody waits for it any more.
   * @param {object} request
   * @param {{ bytes?: ArrayBuffer, onProgress?: (share: number) => void, signal?: AbortSignal }} [options]
   * @returns {Promise<any>}
   */
  function ask(request, { bytes = new ArrayBuffer(0), onProgress, signal } = {}) {
    const size = bytes.byteLength;
    let id = 0;
    let sent = 0;
    return new Promise((resolve) => {
      const finish = (/** @type {any} */ reply) => {
        waiting.delete(id);
        resolve(reply);
        listen();
      };
      const sendPart = () => {
        send({ ...request, id, size }, [bytes.slice(sent, sent + PART)]);
        sent += PART;
      };
      const hear = (/** @type {any} */ word, /** @type {ArrayBuffer=} */ picture) => {
        if (!("received" in word)) return finish({ ...word, picture });
        onProgress?.(word.received / size);
        if (sent < size) sendPart();
      };
      // Under a new id: of the old one, the kernel may have a part.
      const restart = () => {
        waiting.delete(id);
        id = nextId();
        sent = 0;
        waiting.set(id, { hear, restart });
        sendPart();
        for (let parts = 1; parts < IN_FLIGHT && sent < size; parts++) sendPart();
        listen();
      };
      if (signal?.aborted) return resolve(null);
      signal?.addEventListener("abort", () => finish(null));
      restart();
    });
  }

  // A phone that wakes may hold a connection that has long ended, without a word of it.
  async function check() {
    if (checking || signal.aborted) return;
    checking = true;
    if (!(await pong())) {
      const anew = Promise.resolve(kernel?.reconnect?.()).then(restartAll, () => {}); // even if it takes longer
      await Promise.race([anew, sleep(PING_MS)]);
      if (!(await pong()) && !signal.aborted) onGone();
    }
    checking = false;
  }

  function restartAll() {
    for (const { restart } of [...waiting.values()]) restart();
  }

  // Whether the kernel says anything: it may be busy with a photo, and a ping stand in line.
  async function pong() {
    const before = words;
    const isOpen = () => !closed && (kernel?.connectionStatus ?? "connected") === "connected";
    send({ id: nextId(), size: 0, ping: true });
    for (let waited = 0; waited < PING_MS && words === before && isOpen(); waited += 100) await sleep(100);
    return words > before;
  }
}

/** @param {number} ms */
function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
