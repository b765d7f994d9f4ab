import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { callsOf } from "../../foodvision/page/static/api.js";
import { httpAnswerer } from "../../foodvision/page/static/http.js";
import { words } from "../../foodvision/page/static/words.js";

const PREDICTION = { label: "pizza", probability: 1, probabilities: { pizza: 1 }, unsure: false, seconds: 0.1 };

/** What the server says to each request in turn: [status, body, headers]; status 0 is no connection. */
let replies;
let asked;
let events;

globalThis.location = { href: "https://food.example.com/app/?lang=de#top" };
globalThis.XMLHttpRequest = class {
  upload = {};
  open(method, url) {
    asked.push({ method, url, request: this });
  }
  setRequestHeader() {}
  getResponseHeader(name) {
    return this.headers?.[name] ?? null;
  }
  send(photo) {
    asked.at(-1).photo = photo;
    this.upload.onprogress({ loaded: 1, total: 2 });
    const reply = replies.shift();
    if (!reply) return;
    [this.status, this.response, this.headers] = reply;
    queueMicrotask(() => this.onloadend());
  }
  abort() {
    this.status = 0;
    this.onloadend();
  }
};

beforeEach(() => {
  replies = [];
  asked = [];
  events = [];
});

function answerer() {
  const signal = new AbortController().signal;
  return httpAnswerer({ onGone: () => events.push("gone"), onBack: () => events.push("back"), signal });
}

function ask({ needsPicture = false, onProgress = () => {}, signal = new AbortController().signal } = {}) {
  return answerer().answer(new Blob(["photo"]), { needsPicture, onProgress, signal });
}

test("a photo is sent to the page's own server, and its answer comes back", async () => {
  replies = [[200, PREDICTION]];
  const shares = [];
  assert.deepEqual(await ask({ onProgress: (share) => shares.push(share) }), { prediction: PREDICTION });
  assert.equal(asked[0].url, "https://food.example.com/app/predict");
  assert.deepEqual(shares, [0.5]);
});

test("a refusal is said in the visitor's language, if the server says which one it is", async () => {
  const refusal = { "Foodvision-Refusal": '{"code": "cannot_be_read", "values": ["PDF"]}' };
  replies = [
    [400, { error: "This is a PDF." }, refusal],
    [400, { error: "This is a PDF." }],
  ];
  words.refusals = { cannot_be_read: (name) => `Kein ${name}.` };
  assert.deepEqual(await ask(), { error: "Kein PDF." });
  assert.deepEqual(await ask(), { error: "This is a PDF." });
  words.refusals = {};
});

test("a photo that the browser can't show comes back as a picture", async () => {
  const picture = new Blob(["jpeg"]);
  replies = [
    [200, PREDICTION],
    [200, picture],
  ];
  assert.equal((await ask({ needsPicture: true })).picture, picture);
  assert.equal(asked[1].url, "https://food.example.com/app/picture");
});

test("a refusal is the server's sentence, and an answer that is no JSON gets one, too", async () => {
  replies = [[400, { error: "This is a video." }]];
  assert.deepEqual(await ask(), { error: "This is a video." });
  replies = [[500, null]];
  assert.match((await ask()).error, /try again/i);
});

test("a crowd delays an answer as long as the server says, without a notice", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  replies = [
    [429, { error: "busy" }, { "Retry-After": "2" }],
    [200, PREDICTION],
  ];
  const answer = ask();
  await new Promise(setImmediate);
  t.mock.timers.tick(1999);
  await new Promise(setImmediate);
  assert.equal(asked.length, 1);
  t.mock.timers.tick(1);
  assert.deepEqual(await answer, { prediction: PREDICTION });
  assert.deepEqual(events, ["back"]);
});

test("a lost connection is noticed, and the photo is asked again until it is back", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  replies = [
    [0, null],
    [200, PREDICTION],
  ];
  const answer = ask();
  await new Promise(setImmediate);
  assert.deepEqual(events, ["gone"]);
  t.mock.timers.tick(10_000);
  assert.deepEqual(await answer, { prediction: PREDICTION });
  assert.deepEqual(events, ["gone", "back"]);
});

test("a visitor who returns doesn't wait for the next try", async () => {
  replies = [
    [0, null],
    [200, PREDICTION],
  ];
  const server = answerer();
  const answer = server.answer(new Blob(["photo"]), { onProgress() {}, signal: new AbortController().signal });
  await new Promise(setImmediate);
  server.check();
  assert.deepEqual(await answer, { prediction: PREDICTION });
});

test("a photo that nobody waits for any more gets null, and its request ends", async () => {
  const work = new AbortController();
  const answer = ask({ signal: work.signal });
  work.abort();
  assert.equal(await answer, null);
  assert.deepEqual(events, []);
});

test("a verdict goes to the answer that it is about, with the photo if the visitor agreed", async () => {
  replies = [
    [200, PREDICTION, { "Foodvision-Answer": "a1" }],
    [200, { photo_kept: true }],
    [404, { error: "Forgotten." }],
  ];
  const { judge } = await ask();
  const photo = new Blob(["kept"]);
  assert.deepEqual(await judge("ramen & co", photo), { photo: true });
  assert.equal(asked[1].url, "https://food.example.com/app/feedback/a1?truth=ramen%20%26%20co");
  assert.equal(asked[1].photo, photo);
  assert.deepEqual(await judge("ramen"), { error: "Forgotten." });
});

test("programs are shown calls of the page's own address", () => {
  const calls = callsOf("https://food.example.com/predict");
  assert.deepEqual(Object.keys(calls), ["curl", "Python", "JavaScript"]);
  for (const call of Object.values(calls)) assert.match(call, /https:\/\/food\.example\.com\/predict/);
});
