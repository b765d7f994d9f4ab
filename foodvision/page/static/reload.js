// Keeps photos while the page is reloaded because its kernel is gone. They stay in this tab until it closes.
import { button, element, ownsThePage } from "./element.js";
import { gone } from "./words.js";

/** @import { Photo } from "./types" */

const KEY = "foodvision-photo-"; // followed by the photo's index
const LEFT_OUT = "foodvision-left-out"; // how many did not fit

/**
 * What the visitor is told, with buttons to continue. `photos` returns those on the page, `link` starts the app elsewhere.
 * @param {() => Photo[]} photos
 * @param {string} link
 */
export function goneNotice(photos, link) {
  const alert = { class: "fv-notice", role: "alert" };
  if (!ownsThePage()) return element("p", alert, gone.notebook);
  const restart = () => keep(photos()).finally(() => location.assign(link));
  return element(
    "div",
    alert,
    element("p", {}, gone.page, link ? ` ${gone.elsewhere}` : ""),
    element(
      "div",
      { class: "fv-tools" },
      button(gone.reload, () => reload(photos())),
      ...(link ? [button(gone.start, restart)] : []),
    ),
  );
}

/** @param {Photo[]} photos */
export function reload(photos) {
  return keep(photos).finally(() => location.reload());
}

/**
 * Calls back when the visitor returns: `restored` if the browser kept the page in memory while its kernel ended, `awake`
 * if it slept or was offline.
 * @param {{ restored: () => void, awake: () => void, signal: AbortSignal }} page
 */
export function onReturn({ restored, awake, signal }) {
  addEventListener("pageshow", (event) => event.persisted && restored(), { signal });
  addEventListener("online", awake, { signal });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && awake(), { signal });
}

/**
 * The photos that were kept, as files, and how many did not fit. They are returned only once, so a photo that crashes a
 * kernel doesn't crash the next.
 */
export async function keptPhotos() {
  const leftOut = Number(sessionStorage.getItem(LEFT_OUT));
  sessionStorage.removeItem(LEFT_OUT);
  const files = await Promise.all(
    takeKept().map(async ({ name, url }) => new File([await (await fetch(url)).blob()], name)),
  );
  return { files, leftOut };
}

/** @returns {{ name: string, url: string }[]} */
function takeKept() {
  const kept = [];
  for (let key = KEY + 0; key in sessionStorage; key = KEY + kept.length) {
    kept.push(JSON.parse(sessionStorage.getItem(key) ?? ""));
    sessionStorage.removeItem(key);
  }
  return kept;
}

// A tab can store about 5 MB: dozens of shrunk photos. Those that don't fit or can't be read are left out.
/** @param {Photo[]} photos */
async function keep(photos) {
  takeKept(); // forget earlier photos, which are no longer on the page
  const good = photos.filter(({ error }) => !error);
  let count = 0;
  for (const { name, jpeg, file } of good) {
    const url = await dataUrl(jpeg ?? file).catch(() => null);
    if (url && store(KEY + count, JSON.stringify({ name, url }))) count++;
  }
  if (count < good.length) store(LEFT_OUT, String(good.length - count));
}

/** @param {string} key @param {string} text */
function store(key, text) {
  try {
    sessionStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}

/** @param {Blob} blob @returns {Promise<string>} */
function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result)));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(blob);
  });
}
