import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { kernelAnswerer } from "../../foodvision/page/static/kernel.js";

const PREDICTION = { label: "pizza", probability: 1, probabilities: { pizza: 1 }, unsure: false, seconds: 0.1 };

/** A widget's model whose kernel does with each message what `reply` says; `sent` has the messages. */
function modelOf(reply, synced = {}) {
  const listeners = new Map();
  const model = {
    sent: [],
    get: (name) => synced[name],
    on: (event, listener) => listeners.set(event, listener),
    off: (event) => listeners.delete(event),
    say: (event, ...values) => listeners.get(event)?.(...values),
    send(content, _, parts) {
      model.sent.push({ ...content, parts });
      const word = reply(content, parts);
      if (word) queueMicrotask(() => model.say("msg:custom", { id: content.id, ...word }, []));
    },
  };
  return model;
}

let events;
let view;
beforeEach(() => {
  events = [];
  view = new AbortController();
});

function answererOf(model) {
  let id = 0;
  const line = { onGone: () => events.push("gone"), onBack: () => events.push("back"), signal: view.signal };
  return kernelAnswerer(model, () => ++id, line);
}

function ask(answerer, { size = 10, signal = new AbortController().signal, onProgress = () => {} } = {}) {
  return answerer.answer(new Blob([new Uint8Array(size)]), { needsPicture: false, onProgress, signal });
}

/** Lets what is due happen. */
async function settle() {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

test("a photo goes to the kernel in parts and comes back as a prediction", async () => {
  let received = 0;
  const shares = [];
  const model = modelOf(({ size }, [part]) => {
    received += part.byteLength;
    return received < size ? { received } : { prediction: PREDICTION };
  });
  const reply = await ask(answererOf(model), { size: 400_000, onProgress: (share) => shares.push(share) });
  assert.deepEqual(reply, { prediction: PREDICTION });
  assert.equal(model.sent.length, 4);
  assert.ok(shares.length >= 2 && shares.every((share) => share > 0 && share < 1));
  view.abort();
});

test("a sentence about a bad photo is passed on", async () => {
  const reply = await ask(answererOf(modelOf(() => ({ error: "This is not a photo." }))));
  assert.equal(reply.error, "This is not a photo.");
});

test("a verdict can be given if the kernel keeps them, and only then", async () => {
  const model = modelOf(({ truth }) => (truth ? { photo_kept: true } : { prediction: PREDICTION }), {
    feedback_on: true,
  });
  const { judge } = await ask(answererOf(model));
  assert.deepEqual(await judge("steak", new Blob(["jpeg"])), { photo: true });
  assert.deepEqual([model.sent[1].about, model.sent[1].truth], [1, "steak"]);
  assert.ok(!("judge" in (await ask(answererOf(modelOf(() => ({ prediction: PREDICTION })))))));
});

for (const error of ["Kernel is dead", "Comm is disposed", "InvalidStateError"]) {
  test(`a kernel that cannot be sent to is gone at once: ${error}`, async () => {
    const model = modelOf(() => {
      throw new Error(error);
    });
    ask(answererOf(model));
    await settle();
    assert.deepEqual(events, ["gone"]);
    view.abort();
  });
}

test("a verdict that cannot be sent says that the kernel is gone", async () => {
  let dead = false;
  const model = modelOf(
    () => {
      if (dead) throw new Error("Kernel is dead");
      return { prediction: PREDICTION };
    },
    { feedback_on: true },
  );
  const { judge } = await ask(answererOf(model));
  dead = true;
  judge("steak");
  await settle();
  assert.deepEqual(events, ["back", "gone"]);
  view.abort();
});

test("a kernel that dies between two parts is gone at once", async () => {
  let parts = 0;
  const model = modelOf(() => {
    if (++parts === 3) throw new Error("Kernel is dead");
    return { received: 1 };
  });
  ask(answererOf(model), { size: 1_000_000 });
  await settle();
  assert.ok(events.includes("gone"));
  view.abort();
});

for (const event of ["comm:close", "destroy"]) {
  test(`a channel that closes ends the wait, and later photos don't begin one: ${event}`, async () => {
    const model = modelOf(() => null);
    const answerer = answererOf(model);
    ask(answerer);
    await settle();
    assert.deepEqual(events, []);
    model.say(event);
    assert.deepEqual(events, ["gone"]);
    ask(answerer);
    await settle();
    assert.deepEqual(events, ["gone", "gone"]);
    assert.equal(model.sent.length, 1);
    view.abort();
  });
}

test("a kernel that restarts ends the wait", async () => {
  const model = modelOf(() => null);
  let slot;
  model.widget_manager = {
    kernel: { statusChanged: { connect: (listener) => (slot = listener), disconnect: () => {} } },
  };
  ask(answererOf(model));
  await settle();
  slot(null, "busy");
  assert.deepEqual(events, []);
  slot(null, "autorestarting");
  assert.deepEqual(events, ["gone"]);
  view.abort();
});

test("silence is reported after a while, and no sooner", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  ask(answererOf(modelOf(() => null)));
  await settle();
  context.mock.timers.tick(5999);
  assert.deepEqual(events, []);
  context.mock.timers.tick(1);
  assert.deepEqual(events, ["gone"]);
  view.abort();
});

test("nobody waits for an abandoned answer", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const choice = new AbortController();
  const reply = ask(answererOf(modelOf(() => null)), { signal: choice.signal });
  await settle();
  choice.abort();
  assert.equal(await reply, null);
  context.mock.timers.tick(60_000);
  assert.deepEqual(events, []);
});

test("a page that wakes and hears from its kernel does nothing more", async () => {
  const model = modelOf(({ ping }) => ping && { pong: true });
  let reconnected = 0;
  model.widget_manager = { kernel: { reconnect: async () => void reconnected++ } };
  answererOf(model).check();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual([events, reconnected, model.sent.length], [["back"], 0, 1]);
});

test("a page that wakes to a dead connection makes a new one and asks again", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let connected = false;
  const reconnect = async () => {
    connected = true;
  };
  const model = modelOf(({ ping }) => connected && (ping ? { pong: true } : { prediction: PREDICTION }));
  model.widget_manager = { kernel: { reconnect } };
  const answerer = answererOf(model);
  const reply = ask(answerer);
  await settle();
  answerer.check();
  for (let waited = 0; waited < 4000; waited += 100) {
    await settle();
    context.mock.timers.tick(100);
  }
  assert.deepEqual((await reply).prediction, PREDICTION);
  assert.ok(!events.includes("gone"));
  view.abort();
});

test("a page that wakes and cannot connect says so without waiting for a ping", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const model = modelOf(() => null);
  model.widget_manager = { kernel: { connectionStatus: "connecting", reconnect: () => new Promise(() => {}) } };
  answererOf(model).check();
  await settle();
  context.mock.timers.tick(2500);
  await settle();
  assert.deepEqual(events, ["gone"]);
});

test("a connection that takes longer to come back still brings the answer", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let connect;
  const kernel = {
    connectionStatus: "connecting",
    reconnect: () => new Promise((resolve) => Object.assign(kernel, { up: resolve })),
  };
  const model = modelOf(({ ping }) => connect && !ping && { prediction: PREDICTION });
  model.widget_manager = { kernel };
  const answerer = answererOf(model);
  const reply = ask(answerer);
  answerer.check();
  await settle();
  context.mock.timers.tick(2500);
  await settle();
  assert.deepEqual(events, ["gone"]);
  connect = true;
  kernel.up();
  assert.deepEqual((await reply).prediction, PREDICTION);
  assert.equal(events.at(-1), "back");
  view.abort();
});

test("a page that wakes without a kernel says so sooner than silence would", async () => {
  const model = modelOf(() => {
    throw new Error("Kernel is dead");
  });
  answererOf(model).check();
  await settle();
  assert.deepEqual(events, ["gone"]);
});
