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
  const talk = new Talk(model, nextId, line);
  const judge = (/** @type {number} */ about) => async (/** @type {string} */ truth, /** @type {Blob=} */ photo) => {
    const reply = await talk.ask({ about, truth }, { bytes: await photo?.arrayBuffer() });
    return reply.error ? reply : { photo: reply.photo_kept };
  };
  return {
    check: () => talk.check(),
    async answer(photo, { needsPicture, onProgress, signal }) {
      const reply = await talk.ask({ shown: !needsPicture }, { bytes: await photo.arrayBuffer(), onProgress, signal });
      if (!reply || reply.error) return reply;
      return {
        prediction: reply.prediction,
        ...(reply.picture && { picture: new Blob([reply.picture], { type: "image/jpeg" }) }),
        ...(model.get("feedback_on") && { judge: judge(reply.id) }),
      };
    },
    qrCode: async (text) => (await talk.ask({ qr: text })).qr_code,
  };
}

class Talk {
  /** @type {Map<number, Inquiry>} */
  waiting = new Map(); // requests without a reply, by id
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  silence;
  closed = false; // the channel to the dashboard, as when the kernel restarts
  words = 0; // heard so far
  checking = false;

  /** @param {Model} model @param {() => number} nextId @param {Line} line */
  constructor(model, nextId, line) {
    this.model = model;
    this.nextId = nextId;
    this.line = line;
    this.kernel = model.widget_manager?.kernel;
    this.listen();
  }

  listen() {
    const { model, kernel, line } = this;
    const close = () => this.close();
    const note = (/** @type {unknown} */ _, /** @type {string} */ status) => ENDED.includes(status) && close();
    const hear = (/** @type {any} */ word, /** @type {ArrayBuffer[]} */ [picture] = []) => this.hear(word, picture);
    const listeners = { "msg:custom": hear, "comm:close": close, destroy: close };
    for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
    kernel?.statusChanged?.connect(note);
    line.signal.addEventListener("abort", () => {
      for (const [event, listener] of Object.entries(listeners)) model.off(event, listener);
      kernel?.statusChanged?.disconnect(note);
      clearTimeout(this.silence);
    });
  }

  /** @param {any} word @param {ArrayBuffer} [picture] */
  hear(word, picture) {
    this.words++;
    this.waiting.get(word.id)?.hear(word, picture);
    this.line.onBack();
    this.windClock();
  }

  close() {
    this.closed = true;
    if (this.waiting.size && !this.line.signal.aborted) this.line.onGone();
  }

  windClock() {
    clearTimeout(this.silence);
    if (this.waiting.size) this.silence = setTimeout(this.line.onGone, SILENCE_MS);
  }

  // A kernel known to be dead throws at once, and so does a channel that is closed.
  /** @param {object} content @param {ArrayBuffer[]} [parts] */
  send(content, parts = []) {
    if (this.closed) return this.line.onGone();
    try {
      this.model.send(content, undefined, parts);
    } catch {
      this.line.onGone();
    }
  }

  /**
   * Resolves to the kernel's reply, or to null when `signal` says that nobody waits for it any more.
   * @param {object} content
   * @param {{ bytes?: ArrayBuffer, onProgress?: (share: number) => void, signal?: AbortSignal }} [options]
   * @returns {Promise<any>}
   */
  ask(content, { bytes = new ArrayBuffer(0), onProgress, signal } = {}) {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve(null);
      const inquiry = new Inquiry(this, content, bytes, resolve, onProgress);
      signal?.addEventListener("abort", () => inquiry.finish(null));
      inquiry.start();
    });
  }

  // A phone that wakes may hold a connection that has long ended, without a word of it.
  async check() {
    const { signal, onGone } = this.line;
    if (this.checking || signal.aborted) return;
    this.checking = true;
    if (!(await this.pong())) {
      const anew = Promise.resolve(this.kernel?.reconnect?.()).then(
        () => this.startAll(), // even if it takes longer
        () => {},
      );
      await Promise.race([anew, sleep(PING_MS)]);
      if (!(await this.pong()) && !signal.aborted) onGone();
    }
    this.checking = false;
  }

  startAll() {
    for (const inquiry of [...this.waiting.values()]) inquiry.start();
  }

  // Whether the kernel says anything: it may be busy with a photo, and a ping stand in line.
  async pong() {
    const before = this.words;
    const isOpen = () => !this.closed && (this.kernel?.connectionStatus ?? "connected") === "connected";
    this.send({ id: this.nextId(), size: 0, ping: true });
    for (let waited = 0; waited < PING_MS && this.words === before && isOpen(); waited += 100) await sleep(100);
    return this.words > before;
  }
}

class Inquiry {
  id = 0;
  sent = 0; // bytes

  /**
   * @param {Talk} talk
   * @param {object} content
   * @param {ArrayBuffer} bytes
   * @param {(reply: any) => void} resolve
   * @param {(share: number) => void} [onProgress]
   */
  constructor(talk, content, bytes, resolve, onProgress) {
    this.talk = talk;
    this.content = content;
    this.bytes = bytes;
    this.resolve = resolve;
    this.onProgress = onProgress;
  }

  // Also a second time, under a new id: the kernel may have a part of the old one.
  start() {
    this.talk.waiting.delete(this.id);
    this.id = this.talk.nextId();
    this.sent = 0;
    this.talk.waiting.set(this.id, this);
    this.sendPart();
    for (let parts = 1; parts < IN_FLIGHT && this.sent < this.bytes.byteLength; parts++) this.sendPart();
    this.talk.windClock();
  }

  sendPart() {
    const part = this.bytes.slice(this.sent, this.sent + PART);
    this.talk.send({ ...this.content, id: this.id, size: this.bytes.byteLength }, [part]);
    this.sent += PART;
  }

  /** @param {any} word @param {ArrayBuffer} [picture] */
  hear(word, picture) {
    if (!("received" in word)) return this.finish({ ...word, picture });
    this.onProgress?.(word.received / this.bytes.byteLength);
    if (this.sent < this.bytes.byteLength) this.sendPart();
  }

  /** @param {any} reply */
  finish(reply) {
    this.talk.waiting.delete(this.id);
    this.resolve(reply);
    this.talk.windClock();
  }
}

/** @param {number} ms */
function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
