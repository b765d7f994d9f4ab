// Runs the model in a worker, so that the page stays responsive. Each request {id, do, ...} gets one reply {id, ...}.
import { areaRead, heatOf } from "./heat.js";
import { unpackModel, WEIGHTS } from "./model.js";
import { predictionOf, softmax } from "./prediction.js";
import { prepare, toRgb, toTensor } from "./steps.js";

/** @import { Description } from "./prediction.js" */
/** @import { Step } from "./steps.js" */
/** @typedef {Description & { preprocessing: { steps: Step[], mean: number[], std: number[] } }} Model */

const GZIP = [0x1f, 0x8b]; // what a gzipped file begins with
// The smallest of models, which gives what it takes: loading it gets the runtime ready while ours is on its way.
const SMALLEST = "CAo6NgoQCgFhEgFiIghJZGVudGl0eRIAWg8KAWESCgoICAESBAoCCAFiDwoBYhIKCggIARIECgIIAUIECgAQFA==";
const NEW_FRAME = 0.35; // weight of the newest of the camera's frames against those before
const worker = /** @type {any} */ (globalThis); // TypeScript takes it for a window

/** @type {{ ort: any, session: any, model: Model }} */
let loaded;
/** @type {number[] | null} */
let smoothed = null;

/** @type {Record<string, (request: any) => Promise<object>>} */
const HANDLERS = {
  /** `runtime` and `model` are addresses of folders. */
  async load({ runtime, model }) {
    const [ort, description, { graph, weights }] = await Promise.all([
      started(runtime),
      fetched(`${model}model.json`).then((response) => response.json()),
      unpacked(`${model}model.bin.gz`).then(unpackModel),
    ]);
    const session = await ort.InferenceSession.create(graph, {
      executionProviders: ["wasm"],
      externalData: [{ path: WEIGHTS, data: weights }],
      graphOptimizationLevel: "disabled", // the server has done it
    });
    loaded = { ort, session, model: description };
    return { steps: description.preprocessing.steps, explains: session.outputNames.includes("maps") };
  },

  /** The exact answer to a photo. */
  async answer({ picture, started }) {
    const probabilities = softmax((await look(picture)).logits.data);
    return { prediction: predictionOf(probabilities, loaded.model, (Date.now() - started) / 1000) };
  },

  /** The answer to the latest of the camera's frames, averaged with those before so that it doesn't flicker. */
  async frame({ picture, first, started }) {
    const latest = softmax((await look(picture)).logits.data);
    const before = first || !smoothed ? latest : smoothed;
    smoothed = latest.map((probability, place) => before[place] + NEW_FRAME * (probability - before[place]));
    return { prediction: predictionOf(smoothed, loaded.model, (Date.now() - started) / 1000) };
  },

  /** What speaks for an answer, or for one of its dishes, in a photo. */
  async explain({ picture, label }) {
    const { groups, vocab, preprocessing } = loaded.model;
    const area = areaRead(sizeOf(picture), preprocessing.steps);
    const { logits, maps } = await look(picture);
    const classes = (groups[label] ?? [label]).map((name) => vocab.indexOf(name));
    return { area, heat: heatOf(classes, softmax(logits.data), maps) };
  },
};

worker.addEventListener("message", async (/** @type {MessageEvent} */ { data }) => {
  try {
    worker.postMessage({ id: data.id, ...(await HANDLERS[data.do](data)) });
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error);
    worker.postMessage({ id: data.id, failure: { name, message } });
  }
});

/** @param {string} runtime address of its folder */
async function started(runtime) {
  const [ort, wasmBinary] = await Promise.all([
    import(`${runtime}ort.wasm.bundle.min.mjs`),
    unpacked(`${runtime}ort-wasm-simd-threaded.wasm.gz`),
  ]);
  Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary });
  const smallest = Uint8Array.from(atob(SMALLEST), (character) => character.charCodeAt(0));
  const session = await ort.InferenceSession.create(smallest, { executionProviders: ["wasm"] });
  await session.release();
  return ort;
}

/**
 * What the network gives for a picture.
 * @param {ImageBitmap | VideoFrame} picture
 */
async function look(picture) {
  const { ort, session, model } = loaded;
  const { steps, mean, std } = model.preprocessing;
  const prepared = prepare(toRgb(pixelsOf(picture)), steps);
  const pixels = new ort.Tensor("float32", toTensor(prepared, { mean, std }), [1, 3, prepared.height, prepared.width]);
  return session.run({ pixels });
}

/** @param {ImageBitmap | VideoFrame} picture */
function sizeOf(picture) {
  return "displayWidth" in picture ? [picture.displayWidth, picture.displayHeight] : [picture.width, picture.height];
}

/** @param {ImageBitmap | VideoFrame} picture */
function pixelsOf(picture) {
  const [width, height] = sizeOf(picture);
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new RangeError("The browser lacks the memory.");
  context.drawImage(picture, 0, 0, width, height);
  picture.close();
  return context.getImageData(0, 0, width, height);
}

/**
 * A gzipped file's content, unpacked as it arrives. Some servers make the browser unpack it already.
 * @param {string} address
 */
async function unpacked(address) {
  const { body } = await fetched(address);
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (body).getReader();
  let part = await reader.read();
  const isPacked = GZIP.every((byte, place) => part.value?.[place] === byte);
  const { readable, writable } = isPacked ? new DecompressionStream("gzip") : new TransformStream();
  const content = new Response(readable).arrayBuffer();
  const writer = writable.getWriter();
  for (; !part.done; part = await reader.read()) {
    worker.postMessage({ received: part.value.length });
    await writer.write(part.value);
  }
  await writer.close();
  return new Uint8Array(await content);
}

/** @param {string} address */
async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new DOMException(`${response.status} for ${address}`, "NotFoundError");
  return response;
}
