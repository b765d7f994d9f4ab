// The talk with the kernel.
//
// A request is {id, size, ...} and `size` bytes, in parts, so that the page can say how much has arrived. The kernel
// answers each part with {id, received}, and the last with the reply: {id, answer}, {id, thanks} or {id, error}.

const PART = 2 ** 17; // bytes: a second and a half on a slow phone
const IN_FLIGHT = 2; // parts: the next is on its way while one is acknowledged
const SILENCE = 6000; // milliseconds without a word, after which the kernel is taken for gone

export function talkTo(model, nextId, { onSilence, onWord, signal }) {
  const waiting = new Map(); // for each request without a reply, by id: what to do with a word about it
  let silence;

  model.on("msg:custom", hear);
  signal.addEventListener("abort", () => {
    model.off("msg:custom", hear);
    clearTimeout(silence);
  });

  function hear(word, [jpeg]) {
    if (!waiting.has(word.id)) return;
    waiting.get(word.id)(word, jpeg);
    onWord();
    listen();
  }

  function listen() {
    clearTimeout(silence);
    if (waiting.size) silence = setTimeout(onSilence, SILENCE);
  }

  // Resolves to the kernel's reply, or to null when `signal` says that nobody waits for it any more.
  return function ask(request, bytes = new ArrayBuffer(0), { onPart, signal } = {}) {
    const id = nextId();
    const size = bytes.byteLength;
    let sent = 0;

    function sendPart() {
      model.send({ ...request, id, size }, undefined, [bytes.slice(sent, sent + PART)]);
      sent += PART;
    }

    return new Promise((resolve) => {
      function finish(reply) {
        waiting.delete(id);
        resolve(reply);
      }
      waiting.set(id, (word, jpeg) => {
        if (!("received" in word)) return finish({ ...word, jpeg });
        onPart?.(word.received / size);
        if (sent < size) sendPart();
      });
      signal?.addEventListener("abort", () => {
        finish(null);
        listen();
      });
      sendPart();
      for (let parts = 1; parts < IN_FLIGHT && sent < size; parts++) sendPart();
      listen();
    });
  };
}
