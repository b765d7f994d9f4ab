// The API server as an answerer: it takes photos at `predict`, beside the page, and needs no kernel.
import { translated, words } from "./words.js";

/** @import { Answerer, ConnectionEvents, Failure } from "./types" */

const ANSWER_ID = "Foodvision-Answer"; // a header of answers that can get a verdict
const REFUSAL = "Foodvision-Refusal"; // a header of errors that can be translated
const BUSY = [429, 502, 503, 504]; // statuses of a server or proxy that will answer later
const RETRY_MS = 3000;

/**
 * @param {ConnectionEvents} events
 * @returns {Answerer}
 */
export function httpAnswerer(events) {
  const server = new HttpServer(events);
  return {
    api: urlOf(""),
    check: () => server.wake(),
    async answer(photo, { needsPicture, onProgress, signal }) {
      const reply = await server.ask("predict", photo, { onProgress, signal });
      if (!reply || reply.failure) return reply?.failure ?? null;
      const picture = needsPicture ? await server.ask("picture", photo, { signal, type: "blob" }) : null;
      const id = reply.header(ANSWER_ID);
      return {
        prediction: reply.body,
        ...(picture && !picture.failure && { picture: picture.body }),
        ...(id && { judge: (truth, kept) => judge(server, id, truth, kept) }),
      };
    },
    qrCode: async (text) => urlOf(`qr.svg?text=${encodeURIComponent(text)}`),
  };
}

/** @param {HttpServer} server @param {string} id @param {string} truth @param {Blob} [photo] */
async function judge(server, id, truth, photo) {
  const reply = await server.ask(`feedback/${id}?truth=${encodeURIComponent(truth)}`, photo);
  return reply?.failure ?? { photo: reply?.body.photo_kept };
}

/** @param {string} path */
function urlOf(path) {
  return new URL(path, location.href.replace(/[?#].*/, "")).href;
}

/** @typedef {{ onProgress?: (share: number) => void, signal?: AbortSignal, type?: XMLHttpRequestResponseType }} Wishes */

class HttpServer {
  wake = () => {}; // ends the wait before the next try

  /** @param {ConnectionEvents} events */
  constructor(events) {
    this.events = events;
  }

  /**
   * Asks until there is an answer: a crowd or a lost connection only delays it. Null when `signal` says that nobody
   * waits for it any more.
   * @param {string} path
   * @param {Blob} [photo]
   * @param {Wishes} [wishes]
   * @returns {Promise<any>}
   */
  async ask(path, photo, wishes = {}) {
    const { signal } = wishes;
    while (!signal?.aborted && !this.events.signal.aborted) {
      const request = await send(urlOf(path), photo, wishes);
      if (signal?.aborted) break;
      if (request.status && !BUSY.includes(request.status)) {
        this.events.onBack();
        return replyOf(request);
      }
      if (request.status !== 429) this.events.onGone();
      await this.rest(1000 * Number(request.getResponseHeader("Retry-After")) || RETRY_MS);
    }
    return null;
  }

  /** @param {number} ms */
  rest(ms) {
    return new Promise((resolve) => {
      this.wake = () => resolve(undefined);
      setTimeout(resolve, ms);
    });
  }
}

// `fetch` doesn't tell how much has been sent.
/** @param {string} url @param {Blob | undefined} photo @param {Wishes} wishes @returns {Promise<XMLHttpRequest>} */
function send(url, photo, { onProgress, signal, type = "json" }) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.responseType = type;
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(loaded / total);
    request.onloadend = () => resolve(request);
    signal?.addEventListener("abort", () => request.abort());
    request.send(photo);
  });
}

/** @param {XMLHttpRequest} request */
async function replyOf(request) {
  const { status, response } = request;
  if (status === 200 && response) {
    return { body: response, header: (/** @type {string} */ name) => request.getResponseHeader(name) };
  }
  const error = response instanceof Blob ? undefined : response?.error;
  const wording = JSON.parse(request.getResponseHeader(REFUSAL) ?? "{}");
  return { failure: { error: error ? translated(error, wording) : words.apiNoAnswer } };
}
