// Choose a photo, see it at once, read the answer.
//
// The browser shrinks each photo and sends it as {id, shown} and a buffer. The kernel replies to every id, with
// {id, answer} or {id, error}; where the browser could not decode the photo (shown: false), with a JPEG of it, too.

export default () => {
  let lastId = 0; // common to the views of a model, so that none takes another's reply for its own
  return { render: ({ model, el }) => render(model, el, () => ++lastId) };
};

function render(model, el, nextId) {
  const page = layOut(el);
  const waiting = new Map(); // the photos without a reply, by id
  let latest = null; // the photo chosen last, unless it was refused
  let answered = null; // the photo answered last

  page.input.addEventListener("change", () => {
    const [file] = page.input.files;
    page.input.value = ""; // so that the same file can be chosen again
    if (file) ask(file);
  });
  model.on("msg:custom", receive);
  return () => model.off("msg:custom", receive);

  async function ask(file) {
    const photo = (latest = { id: nextId(), name: file.name });
    page.wait(photo);
    photo.picture = await draw(file, model.get("short_side")).catch(() => null);
    if (photo !== latest) return;
    page.show(photo);
    const blob = photo.picture ? await toJpeg(photo.picture) : file;
    if (blob.size > model.get("max_bytes")) return refuse(photo, tooLarge(blob.size, model.get("max_bytes")));
    const bytes = await blob.arrayBuffer().catch(() => null);
    if (!bytes) return refuse(photo, "Your browser cannot read this file. Please choose it again.");
    waiting.set(photo.id, photo);
    model.send({ id: photo.id, shown: photo.picture !== null }, undefined, [bytes]);
  }

  async function receive({ id, answer, error }, [jpeg]) {
    const photo = waiting.get(id);
    if (!photo) return;
    waiting.delete(id);
    if (error) return refuse(photo, error);
    if (jpeg) photo.picture = await draw(new Blob([jpeg]));
    photo.answer = answer;
    answered = photo;
    if (photo === latest || latest === null) page.show(photo);
  }

  // A photo that cannot be answered costs the visitor nothing: the last answer comes back.
  function refuse(photo, sentence) {
    page.complain(photo, sentence);
    if (photo !== latest) return;
    latest = null;
    page.show(answered);
  }
}

// The photo on a canvas, upright, its short side at most `shortSide` pixels. Rejects what the browser cannot decode.
async function draw(file, shortSide = Infinity) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, shortSide / Math.min(bitmap.width, bitmap.height));
  const width = Math.round(scale * bitmap.width);
  const height = Math.round(scale * bitmap.height);
  const canvas = element("canvas", { width, height, role: "img" });
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // behind what is transparent: JPEG would make it black
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return canvas;
}

function toJpeg(canvas) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
}

function tooLarge(size, limit) {
  return (
    `Your browser cannot show this file, and at ${megabytes(size)} it is too large to send as it is ` +
    `(${megabytes(limit)} at most). Save it as a JPEG and choose that.`
  );
}

function megabytes(size) {
  return `${(size / 1e6).toFixed(1)} MB`;
}

function layOut(el) {
  const input = element("input", { type: "file", accept: "image/*" });
  const button = element("label", { class: "fv-button" }, input, "Choose a photo");
  const complaint = element("p", { class: "fv-complaint", role: "alert" });
  const picture = element("div");
  const answer = element("div", { class: "fv-answer", role: "status" });
  el.append(
    element("div", { class: "foodvision" }, button, complaint, element("div", { class: "fv-result" }, picture, answer)),
  );
  return {
    input,
    wait(photo) {
      complaint.replaceChildren();
      answer.replaceChildren(element("p", {}, `Looking at ${photo.name}…`));
    },
    complain(photo, sentence) {
      complaint.replaceChildren(element("strong", {}, photo.name), ` ${sentence}`);
    },
    show(photo) {
      photo?.picture?.setAttribute("aria-label", `Your photo, ${photo.name}`);
      picture.replaceChildren(...(photo?.picture ? [photo.picture] : []));
      if (!photo) answer.replaceChildren();
      else if (photo.answer) answer.replaceChildren(...inWords(photo.answer));
    },
  };
}

function inWords({ heading, doubt, probability, seconds, bars }) {
  return [
    element("h2", {}, heading),
    element("p", {}, `${percent(probability)} sure, in ${seconds.toPrecision(2)} s. ${doubt}`),
    element("ul", { class: "fv-bars" }, ...bars.map(bar)),
  ];
}

function bar({ name, probability }) {
  const fill = element("div");
  fill.style.width = `${100 * probability}%`;
  const track = element("div", { class: "fv-bar", "aria-hidden": true }, fill);
  return element("li", {}, element("span", {}, name), " ", element("span", {}, percent(probability)), track);
}

// Never 0 % or 100 %: no model is that sure.
function percent(probability) {
  if (probability < 0.01) return "under 1%";
  if (probability > 0.99) return "over 99%";
  return `${Math.round(100 * probability)}%`;
}

// An HTML element. Strings among its children stay text, so a file's name is never read as HTML.
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
