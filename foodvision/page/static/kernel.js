// The kernel as an answerer.
//
// A request is {id, size, ...} and `size` bytes, in parts, so that the page can say how much has arrived. The kernel
// answers each part with {id, received}, and the last with the reply: {id, prediction}, {id, photo_kept}, {id, qr_code},
// {id, area, heat}, {id, example} with a picture, {id, pong} or {id, error, code, values}.
import { translated } from "./words.js";

/** @import { Answerer, ConnectionEvents, Model } from "./types" */

const PART_BYTES = 2 ** 17; // a second and a half on a slow phone
const MAX_PARTS_IN_FLIGHT = 2; // the next part is on its way while one is acknowledged
const SILENCE_MS = 6000; // without a message, after which the kernel counts as gone
const PING_MS = 2500; // without a message, after which a page that has slept reconnects
const ENDED = ["dead", "restarting", "autorestarting"]; // states of a kernel whose dashboard is gone

/**
 * `nextId` gives a number that no other request to this kernel has.
 * @param {Model} model
 * @param {() => number} nextId
 * @param {ConnectionEvents} events
 * @returns {Answerer}
 */
export function kernelAnswerer(model, nextId, events) {
  const connection = new Connection(model, nextId, events);
  const judge = (/** @type {number} */ about) => async (/** @type {string} */ truth, /** @type {Blob=} */ photo) => {
    const reply = await connection.ask({ about, truth }, { bytes: await photo?.arrayBuffer() });
    return reply.error ? reply : { photo: reply.photo_kept };
  };
  return {
    check: () => connection.check(),
    async answer(photo, { needsPicture, onProgress, signal }) {
      const reply = await connection.ask(
        { shown: !needsPicture },
        { bytes: await photo.arrayBuffer(), onProgress, signal },
      );
      if (!reply || reply.error) return reply;
      return {
        prediction: reply.prediction,
        ...(reply.picture && { picture: new Blob([reply.picture], { type: "image/jpeg" }) }),
        ...(model.get("feedback_on") && { judge: judge(reply.id) }),
      };
    },
    qrCode: async (text) => (await connection.ask({ qr: text })).qr_code,
    ...(model.get("explains") && {
      explain: async (photo, label) => connection.ask({ why: label }, { bytes: await photo.arrayBuffer() }),
    }),
    async example(name) {
      const reply = await connection.ask({ example: name });
      return reply.error ? reply : new Blob([reply.picture], { type: "image/jpeg" });
    },
  };
}

class Connection {
  /** @type {Map<number, PendingRequest>} */
  waiting = new Map(); // requests without a reply, by id
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;
  closed = false; // the channel to the dashboard, as when the kernel restarts
  messages = 0; // received so far
  checking = false;

  /** @param {Model} model @param {() => number} nextId @param {ConnectionEvents} events */
  constructor(model, nextId, events) {
    this.model = model;
    this.nextId = nextId;
    this.events = events;
    this.kernel = model.widget_manager?.kernel;
    this.listen();
  }

  listen() {
    const { model, kernel, events } = this;
    const close = () => this.close();
    const note = (/** @type {unknown} */ _, /** @type {string} */ status) => ENDED.includes(status) && close();
    const receive = (/** @type {any} */ message, /** @type {ArrayBuffer[]} */ [picture] = []) =>
      this.receive(message, picture);
    const listeners = { "msg:custom": receive, "comm:close": close, destroy: close };
    for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
    kernel?.statusChanged?.connect(note);
    events.signal.addEventListener("abort", () => {
      for (const [event, listener] of Object.entries(listeners)) model.off(event, listener);
      kernel?.statusChanged?.disconnect(note);
      clearTimeout(this.timer);
    });
  }

  /** @param {any} message @param {ArrayBuffer} [picture] */
  receive(message, picture) {
    this.messages++;
    this.waiting.get(message.id)?.receive(message, picture);
    this.events.onBack();
    this.restartTimer();
  }

  close() {
    this.closed = true;
    if (this.waiting.size && !this.events.signal.aborted) this.events.onGone();
  }

  restartTimer() {
    clearTimeout(this.timer);
    if (this.waiting.size) this.timer = setTimeout(this.events.onGone, SILENCE_MS);
  }

  // A kernel known to be dead throws at once, and so does a channel that is closed.
  /** @param {object} content @param {ArrayBuffer[]} [parts] */
  send(content, parts = []) {
    if (this.closed) return this.events.onGone();
    try {
      this.model.send(content, undefined, parts);
    } catch {
      this.events.onGone();
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
      const request = new PendingRequest(this, content, bytes, resolve, onProgress);
      signal?.addEventListener("abort", () => request.finish(null));
      request.start();
    });
  }

  // A phone that wakes may hold a connection that ended long ago without telling it.
  async check() {
    const { signal, onGone } = this.events;
    if (this.checking || signal.aborted) return;
    this.checking = true;
    if (!(await this.answersPing())) {
      const anew = Promise.resolve(this.kernel?.reconnect?.()).then(
        () => this.sendAllAgain(), // even if it takes longer
        () => {},
      );
      await Promise.race([anew, sleep(PING_MS)]);
      if (!(await this.answersPing()) && !signal.aborted) onGone();
    }
    this.checking = false;
  }

  sendAllAgain() {
    for (const request of [...this.waiting.values()]) request.start();
  }

  // Any message will do: while the kernel is busy with a photo, the ping waits in line.
  async answersPing() {
    const before = this.messages;
    const isOpen = () => !this.closed && (this.kernel?.connectionStatus ?? "connected") === "connected";
    this.send({ id: this.nextId(), size: 0, ping: true });
    for (let waited = 0; waited < PING_MS && this.messages === before && isOpen(); waited += 100) await sleep(100);
    return this.messages > before;
  }
}

class PendingRequest {
  id = 0;
  sent = 0; // bytes

  /**
   * @param {Connection} connection
   * @param {object} content
   * @param {ArrayBuffer} bytes
   * @param {(reply: any) => void} resolve
   * @param {(share: number) => void} [onProgress]
   */
  constructor(connection, content, bytes, resolve, onProgress) {
    this.connection = connection;
    this.content = content;
    this.bytes = bytes;
    this.resolve = resolve;
    this.onProgress = onProgress;
  }

  // Also a second time, under a new id: the kernel may have a part of the old one.
  start() {
    this.connection.waiting.delete(this.id);
    this.id = this.connection.nextId();
    this.sent = 0;
    this.connection.waiting.set(this.id, this);
    this.sendPart();
    for (let parts = 1; parts < MAX_PARTS_IN_FLIGHT && this.sent < this.bytes.byteLength; parts++) this.sendPart();
    this.connection.restartTimer();
  }

  sendPart() {
    const part = this.bytes.slice(this.sent, this.sent + PART_BYTES);
    this.connection.send({ ...this.content, id: this.id, size: this.bytes.byteLength }, [part]);
    this.sent += PART_BYTES;
  }

  /** @param {any} message @param {ArrayBuffer} [picture] */
  receive(message, picture) {
    if ("error" in message) return this.finish({ error: translated(message.error, message) });
    if (!("received" in message)) return this.finish({ ...message, picture });
    this.onProgress?.(message.received / this.bytes.byteLength);
    if (this.sent < this.bytes.byteLength) this.sendPart();
  }

  /** @param {any} reply */
  finish(reply) {
    this.connection.waiting.delete(this.id);
    this.resolve(reply);
    this.connection.restartTimer();
  }
}

/** @param {number} ms */
function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
