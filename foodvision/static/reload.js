// When the kernel is gone: photos that outlive a reload of the page. They stay in this tab, and leave with it.
import { button, element, ownsThePage } from "./element.js";

const KEY = "foodvision-photos";

// What the visitor reads, with what they can do. `photos` gives those on show, `link` starts the app elsewhere.
export function goneNotice(photos, link) {
  const alert = { class: "fv-notice", role: "alert" };
  if (!ownsThePage()) return element("p", alert, "The kernel does not answer. Restart it, and run this notebook again.");
  return element(
    "div",
    alert,
    element("p", {}, "No answer comes back: the connection or the app has stopped. What you chose is still here."),
    element(
      "div",
      { class: "fv-tools" },
      button("Reload, and ask again", () => keep(photos()).then(() => location.reload())),
      ...(link ? [button("Start a new copy of the app", () => keep(photos()).then(() => location.assign(link)))] : []),
    ),
  );
}

// The photos that were kept, as files. They are given once, so that a photo that ends a kernel does not end the next.
export async function keptPhotos() {
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  sessionStorage.removeItem(KEY);
  return Promise.all(kept.map(async ({ name, url }) => new File([await (await fetch(url)).blob()], name)));
}

// A tab stores about 5 MB: dozens of shrunk photos. The last ones are given up where that is not enough.
async function keep(photos) {
  const kept = await Promise.all(
    photos.map(async ({ name, jpeg, file }) => ({ name, url: await dataUrl(jpeg ?? file) })),
  );
  while (kept.length) {
    try {
      return sessionStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      kept.pop();
    }
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
