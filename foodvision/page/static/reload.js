// Keeps photos while the page is reloaded because its kernel is gone. They stay in this tab until it closes.
import { button, element, ownsThePage } from "./element.js";
import { words } from "./words.js";

/** @import { Photo, Prepare, Unmet } from "./types" */

const KEY = "foodvision-photo-"; // followed by the photo's index
const LEFT_OUT = "foodvision-left-out"; // how many did not fit
const UNMET = "foodvision-unmet"; // set while a page is reloaded because its kernel had no dashboard
const NO_WIDGET = ".jp-OutputArea-output.jupyter-widgets:not(:has(*))"; // where Jupyter found no widget to show

/**
 * What the visitor reads, with what they can do. `photos` gives those on show, `prepare` makes one small, `link` starts
 * the app elsewhere.
 * @param {() => Photo[]} photos
 * @param {Prepare} prepare
 * @param {string} link
 */
export function goneNotice(photos, prepare, link) {
  const alert = { class: "fv-notice", role: "alert" };
  if (!ownsThePage()) return element("p", alert, words.goneNotebook);
  const tools = element("div", { class: "fv-tools" });
  const leave = (/** @type {() => void} */ go) => {
    tools.inert = true; // so that a second press does not keep everything twice
    keep(photos(), prepare).finally(go);
  };
  tools.append(button(words.reload, () => leave(() => location.reload())));
  if (link) tools.append(button(words.start, () => leave(() => location.assign(link))));
  return element("div", alert, element("p", {}, words.gone, link ? ` ${words.goneElsewhere}` : ""), tools);
}

/**
 * Where Jupyter found no widget, looks once more. If there is none, the kernel ended before it met the page, and the
 * process that replaced it knows no dashboard: reloads the page. If that doesn't help, the visitor reads that the app is
 * gone.
 * @param {Unmet} dashboard
 */
export function reloadIfUnmet(dashboard) {
  const observer = new MutationObserver(async () => {
    if (!document.querySelector(NO_WIDGET)) return;
    observer.disconnect();
    if (await foundWidget()) return;
    if (dashboard.device.on || UNMET in sessionStorage || !store(UNMET, "yes")) return dashboard.onGone();
    reload(dashboard.choice.photos, dashboard.prepare);
  });
  observer.observe(document.body, { subtree: true, childList: true, attributeFilter: ["class"] });
  dashboard.answering.then(() => {
    observer.disconnect();
    sessionStorage.removeItem(UNMET);
  });
  return dashboard;
}

// Jupyter looks for a widget for two seconds, ten times a second. It misses one that arrives after its last look.
async function foundWidget() {
  const manager = globalThis.jupyterapp?.widgetManager;
  const widgets = Object.entries(manager?.get_state_sync().state ?? {});
  const [id] = widgets.find(([, { model_name }]) => model_name === "AnyModel") ?? [];
  if (!manager || !id) return false;
  await manager.create_view(await manager.get_model(id));
  return true;
}

/** @param {Photo[]} photos @param {Prepare} prepare */
export function reload(photos, prepare) {
  return keep(photos, prepare).finally(() => location.reload());
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

// A tab stores about 5 MB: dozens of shrunk photos. One that finds no room or can't be read is left out.
/** @param {Photo[]} photos @param {Prepare} prepare */
async function keep(photos, prepare) {
  takeKept(); // what was kept before is not on show any more
  const good = photos.filter(({ error, linked }) => !error && !linked);
  let count = 0;
  for (const photo of good) {
    await prepare(photo);
    const url = await dataUrl(photo.jpeg ?? photo.file).catch(() => null);
    if (url && store(KEY + count, JSON.stringify({ name: photo.name, url }))) count++;
    else if (photo.jpeg) break; // no room for another small one
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
