// When the kernel is gone: photos that outlive a reload of the page. They stay in this tab, and leave with it.
import { button, element, ownsThePage } from "./element.js";

const KEY = "foodvision-photo-"; // and the photo's place

// What the visitor reads, with what they can do. `photos` gives those on show, `link` starts the app elsewhere.
export function goneNotice(photos, link) {
  const alert = { class: "fv-notice", role: "alert" };
  if (!ownsThePage()) return element("p", alert, "The kernel does not answer. Restart it, and run this notebook again.");
  return element(
    "div",
    alert,
    element(
      "p",
      {},
      "No answer comes back: the connection or the app has stopped. What you chose is still here.",
      link ? " In a new copy of the app you may have to choose it again." : "", // a tab keeps photos for one host alone
    ),
    element(
      "div",
      { class: "fv-tools" },
      button("Reload, and ask again", () => keep(photos()).finally(() => location.reload())),
      ...(link ? [button("Start a new copy of the app", () => keep(photos()).finally(() => location.assign(link)))] : []),
    ),
  );
}

// The photos that were kept, as files. They are given once, so that a photo that ends a kernel does not end the next.
export async function keptPhotos() {
  return Promise.all(takeKept().map(async ({ name, url }) => new File([await (await fetch(url)).blob()], name)));
}

function takeKept() {
  const kept = [];
  for (let key = KEY + 0; key in sessionStorage; key = KEY + kept.length) {
    kept.push(JSON.parse(sessionStorage.getItem(key)));
    sessionStorage.removeItem(key);
  }
  return kept;
}

// A tab stores about 5 MB: dozens of shrunk photos. One that finds no room or cannot be read is left out.
async function keep(photos) {
  takeKept(); // what was kept before is not on show any more
  let count = 0;
  for (const { name, jpeg, file } of photos.filter(({ error }) => !error)) {
    const url = await dataUrl(jpeg ?? file).catch(() => null);
    if (url && store(KEY + count, JSON.stringify({ name, url }))) count++;
  }
}

function store(key, text) {
  try {
    sessionStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}

function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(blob);
  });
}
