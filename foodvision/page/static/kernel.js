// An answerer that asks the kernel.
//
// A request is {id, size, ...} with `size` bytes, sent in parts so the page can show progress. The kernel acknowledges
// each part with {id, received}, and replies to the last with {id, prediction}, {id, photo_kept}, {id, qr_code},
// {id, pong} or {id, error}.

/** @import { Answerer, ConnectionEvents, Model } from "./types" */

const PART_BYTES = 2 ** 17; // a second and a half on a slow phone
const MAX_PARTS_IN_FLIGHT = 2; // the next is on its way while one is acknowledged
const SILENCE_TIMEOUT_MS = 6000; // without a message for so long, the kernel counts as gone
const PING_TIMEOUT_MS = 2500; // without a message for so long, a page that has slept reconnects
const ENDED = ["dead", "restarting", "autorestarting"]; // states of a kernel whose dashboard is gone

/**
 * `nextId` returns a number that no other request to this kernel has.
 * @param {Model} model
 * @param {() => number} nextId
 * @param {ConnectionEvents} events
 * @returns {Answerer}
 */
export function kernelAnswerer(model, nextId, events) {
  const conversation = new Conversation(model, nextId, events);
  const judge = (/** @type {number} */ about) => async (/** @type {string} */ truth, /** @type {Blob=} */ photo) => {
    const reply = await conversation.ask({ about, truth }, { bytes: await photo?.arrayBuffer() });
    return reply.error ? reply : { photo: reply.photo_kept };
  };
  return {
    check: () => conversation.check(),
    async answer(photo, { needsPicture, onProgress, signal }) {
      const reply = await conversation.ask(
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
    qrCode: async (text) => (await conversation.ask({ qr: text })).qr_code,
  };
}

class Conversation {
  /** @type {Map<number, PendingRequest>} */
  waiting = new Map(); // requests without a reply, by id
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;
  closed = false; // whether the channel to the dashboard is closed, for example because the kernel restarted
  heard = 0; // number of messages so far
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
    const onStatus = (/** @type {unknown} */ _, /** @type {string} */ status) => ENDED.includes(status) && close();
    const onMessage = (/** @type {any} */ message, /** @type {ArrayBuffer[]} */ [picture] = []) =>
      this.receive(message, picture);
    const listeners = { "msg:custom": onMessage, "comm:close": close, destroy: close };
    for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
    kernel?.statusChanged?.connect(onStatus);
    events.signal.addEventListener("abort", () => {
      for (const [event, listener] of Object.entries(listeners)) model.off(event, listener);
      kernel?.statusChanged?.disconnect(onStatus);
      clearTimeout(this.timer);
    });
  }

  /** @param {any} message @param {ArrayBuffer} [picture] */
  receive(message, picture) {
    this.heard++;
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
    if (this.waiting.size) this.timer = setTimeout(this.events.onGone, SILENCE_TIMEOUT_MS);
  }

  // Sending to a kernel that is known to be dead, or through a closed channel, throws at once.
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
   * Resolves to the kernel's reply, or to null once `signal` is aborted.
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

  // When a phone wakes, its connection may have ended long ago without the page being told.
  async check() {
    const { signal, onGone } = this.events;
    if (this.checking || signal.aborted) return;
    this.checking = true;
    if (!(await this.isAlive())) {
      const reconnected = Promise.resolve(this.kernel?.reconnect?.()).then(
        () => this.startAll(), // even if reconnecting takes longer
        () => {},
      );
      await Promise.race([reconnected, sleep(PING_TIMEOUT_MS)]);
      if (!(await this.isAlive()) && !signal.aborted) onGone();
    }
    this.checking = false;
  }

  startAll() {
    for (const request of [...this.waiting.values()]) request.start();
  }

  // Any message counts as a reply: the kernel may be busy with a photo, and the ping has to wait its turn.
  async isAlive() {
    const before = this.heard;
    const isOpen = () => !this.closed && (this.kernel?.connectionStatus ?? "connected") === "connected";
    this.send({ id: this.nextId(), size: 0, ping: true });
    for (let waited = 0; waited < PING_TIMEOUT_MS && this.heard === before && isOpen(); waited += 100) await sleep(100);
    return this.heard > before;
  }
}

class PendingRequest {
  id = 0;
  sent = 0; // bytes

  /**
   * @param {Conversation} conversation
   * @param {object} content
   * @param {ArrayBuffer} bytes
   * @param {(reply: any) => void} resolve
   * @param {(share: number) => void} [onProgress]
   */
  constructor(conversation, content, bytes, resolve, onProgress) {
    this.conversation = conversation;
    this.content = content;
    this.bytes = bytes;
    this.resolve = resolve;
    this.onProgress = onProgress;
  }

  // May be called again. The request then gets a new id, because the kernel may have some parts under the old one.
  start() {
    this.conversation.waiting.delete(this.id);
    this.id = this.conversation.nextId();
    this.sent = 0;
    this.conversation.waiting.set(this.id, this);
    this.sendPart();
    for (let parts = 1; parts < MAX_PARTS_IN_FLIGHT && this.sent < this.bytes.byteLength; parts++) this.sendPart();
    this.conversation.restartTimer();
  }

  sendPart() {
    const part = this.bytes.slice(this.sent, this.sent + PART_BYTES);
    this.conversation.send({ ...this.content, id: this.id, size: this.bytes.byteLength }, [part]);
    this.sent += PART_BYTES;
  }

  /** @param {any} message @param {ArrayBuffer} [picture] */
  receive(message, picture) {
    if (!("received" in message)) return this.finish({ ...message, picture });
    this.onProgress?.(message.received / this.bytes.byteLength);
    if (this.sent < this.bytes.byteLength) this.sendPart();
  }

  /** @param {any} reply */
  finish(reply) {
    this.conversation.waiting.delete(this.id);
    this.resolve(reply);
    this.conversation.restartTimer();
  }
}

/** @param {number} ms */
function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
