// Answers photos on the visitor's own device. The model runs in a worker; nothing of a photo is sent.
import { decodeExactly } from "./exact.js";
import { words } from "./words.js";

/** @import { Answer, Answerer, DeviceFiles, Explanation, Failure, Prediction } from "./types" */
/** @typedef {{ resolve: (reply: any) => void, reject: (reason: unknown) => void }} Asked */

const ALMOST = 0.99; // of the download, whose size is an estimate

/** @type {["deviceTooOld", "deviceOffline", "deviceFailed", "deviceNewer"]} */
const SENTENCES = ["deviceTooOld", "deviceOffline", "deviceFailed", "deviceNewer"]; // that a failure to load can get

/** @type {Map<string, Device>} */
const devices = new Map(); // by model

/**
 * The one that runs this model.
 * @param {DeviceFiles} files
 */
export function deviceOf(files) {
  const device = devices.get(files.model) ?? new Device(files);
  devices.set(files.model, device);
  return device;
}

/**
 * The answerer of a page that has no other.
 * @param {unknown} _
 * @param {{ device: DeviceFiles }} settings
 */
export function deviceAnswerer(_, { device }) {
  return deviceOf(device).answerer;
}

export class Device {
  /** @type {Worker | undefined} */
  worker;
  /** @type {Promise<void> | null} */
  loading = null;
  /** @type {Map<number, Asked>} */
  asked = new Map(); // requests without a reply, by id
  requests = 0;
  received = 0; // bytes
  shortSide = 0; // pixels that the model reads
  /** Called with the share that is loaded, 0 to 1. @type {(share: number) => void} */
  onProgress = () => {};

  /** @param {DeviceFiles} files */
  constructor(files) {
    this.files = files;
    this.folder = new URL(files.folder, new URL(document.body.dataset.baseUrl ?? "", document.baseURI));
    /** @type {Answerer} */
    this.answerer = {
      answer: (photo, options) => this.answer(photo, options),
      explain: (photo, label) => this.explain(photo, label),
    };
  }

  /** Loads the model once; after a failure, again. Rejects with a sentence for the visitor. */
  load() {
    this.loading ??= this.start().catch(async (error) => {
      this.worker?.terminate();
      this.loading = null;
      throw new Error(await this.sentenceFor(error));
    });
    return this.loading;
  }

  async start() {
    if (!globalThis.DecompressionStream || !globalThis.OffscreenCanvas) throw new DOMException("", "NotSupportedError");
    this.received = 0;
    this.worker = new Worker(this.addressOf("worker"), { type: "module" });
    this.worker.addEventListener("message", ({ data }) => this.receive(data));
    this.worker.addEventListener("error", () => this.rejectAll(new DOMException("", "NetworkError")));
    const { steps, explains } = await this.ask({
      do: "load",
      runtime: this.addressOf("runtime"),
      model: this.addressOf("model"),
    });
    this.shortSide = Math.max(...steps[0].size);
    if (!explains) delete this.answerer.explain;
    this.onProgress(1);
  }

  /** @param {"worker" | "runtime" | "model"} name */
  addressOf(name) {
    return new URL(this.files[name], this.folder).href;
  }

  /**
   * @param {Blob} photo
   * @param {import("./types").AnswerOptions} options
   * @returns {Promise<Answer | Failure | null>}
   */
  async answer(photo, { original = photo, needsPicture, signal }) {
    if (needsPicture) return { error: words.deviceUnreadable };
    try {
      await this.load();
      if (signal.aborted) return null;
      const started = Date.now();
      const picture = await decodeExactly(original, 2 * this.shortSide);
      const { prediction } = await this.ask({ do: "answer", picture, started }, [picture]);
      return signal.aborted ? null : { prediction };
    } catch (error) {
      return failureOf(error);
    }
  }

  /**
   * What speaks for a label in a photo.
   * @param {Blob} photo
   * @param {string} label
   * @returns {Promise<Explanation | Failure>}
   */
  async explain(photo, label) {
    try {
      await this.load();
      const picture = await decodeExactly(photo, 2 * this.shortSide);
      const { area, heat } = await this.ask({ do: "explain", picture, label }, [picture]);
      return { area, heat };
    } catch (error) {
      return failureOf(error);
    }
  }

  /**
   * The answer to one of the camera's frames, steadied by those before it, of which there are none if it is the `first`.
   * @param {ImageBitmap} picture
   * @param {boolean} first
   * @returns {Promise<Prediction>}
   */
  async frame(picture, first) {
    return (await this.ask({ do: "frame", picture, first, started: Date.now() }, [picture])).prediction;
  }

  /**
   * @param {object} request
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  ask(request, transfer = []) {
    const id = ++this.requests;
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      this.worker?.postMessage({ ...request, id }, transfer);
    });
  }

  /** @param {any} message */
  receive({ id, received, failure, ...reply }) {
    if (received) {
      this.received += received;
      return this.onProgress(Math.min(ALMOST, this.received / this.files.bytes));
    }
    const request = this.asked.get(id);
    this.asked.delete(id);
    if (failure) request?.reject(new DOMException(failure.message, failure.name));
    else request?.resolve(reply);
  }

  /** @param {Error} reason */
  rejectAll(reason) {
    for (const { reject } of this.asked.values()) reject(reason);
    this.asked.clear();
  }

  /** @param {Error} error */
  async sentenceFor({ name }) {
    if (name === "NotSupportedError") return words.deviceTooOld;
    const found = await fetch(this.addressOf("worker")).then(
      ({ ok }) => ok,
      () => null,
    );
    if (found === null) return words.deviceOffline;
    return found && name !== "NotFoundError" ? words.deviceFailed : words.deviceNewer;
  }
}

/** @param {unknown} error @returns {Failure} */
function failureOf(error) {
  const { message } = /** @type {Error} */ (error);
  return { error: SENTENCES.some((key) => words[key] === message) ? message : words.deviceFailed };
}
