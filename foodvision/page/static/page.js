// What stands around the photos: the ways in above them, what can be done with the answers below.
import { cameraButton } from "./camera.js";
import { button, element, onPhone } from "./element.js";
import { saveButtons } from "./save.js";
import { shareButton } from "./share.js";
import { chooser } from "./ways_in.js";

export function layOut(el, { look, clear, complain, answered }) {
  const promise = element("span");
  const notice = element("div");
  const complaint = element("p", { class: "fv-complaint", role: "alert" });
  const progress = progressLine();
  const cards = element("div", { class: "fv-cards" });
  const saves = saveButtons(answered);
  const tools = element("div", { class: "fv-tools", role: "group", "aria-label": "Answers" }, button("Clear", clear), saves);
  const node = element(
    "div",
    { class: "foodvision" },
    element("div", { class: "fv-ways" }, chooser("Choose a photo", { multiple: "" }, look), cameraButton(look, complain)),
    element("p", { class: "fv-hint" }, hint(), " ", promise),
    notice,
    complaint,
    progress.node,
    cards,
    tools,
  );
  el.append(node);

  const page = {
    node,
    notice,
    complaint,
    greet(model) {
      promise.textContent = model.get("promise");
      if (model.get("link")) node.append(shareButton(model.get("link"), model.get("qr_code")));
    },
    show(photos) {
      cards.replaceChildren(...photos.map((photo) => photo.card.node));
      this.tally(photos);
    },
    tally(photos) {
      progress.tally(photos);
      tools.hidden = photos.length === 0;
      saves.hidden = !photos.some((photo) => photo.answer);
    },
  };
  page.show([]);
  return page;
}

export function isDone(photo) {
  return Boolean(photo.answer || photo.error);
}

function hint() {
  return onPhone() ? "One or several." : "One or several; you can drop or paste them here, too.";
}

function progressLine() {
  const bar = element("progress", { "aria-label": "Photos done" });
  const words = element("span", { role: "status" });
  const node = element("p", { class: "fv-progress", hidden: "" }, bar, words);
  return {
    node,
    tally(photos) {
      const done = photos.filter(isDone).length;
      const bad = photos.filter((photo) => photo.error).length;
      node.hidden = photos.length < 2;
      bar.max = photos.length;
      bar.value = done;
      words.textContent = `${done} of ${photos.length} done${bad ? `, ${bad} could not be read` : ""}`;
    },
  };
}
