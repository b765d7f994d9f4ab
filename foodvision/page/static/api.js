// How programs ask the same server: calls to copy, with its own address.
import { button, element } from "./element.js";
import { copy } from "./share.js";
import { words } from "./words.js";

/** @param {string} address of the API, which ends in a slash */
export function apiButton(address) {
  const open = button(words.api, () => {
    const said = element("p", { class: "fv-hint", role: "status" });
    const close = button(words.close, () => dialog.close());
    const dialog = element("dialog", { class: "foodvision fv-dialog fv-api", "aria-label": words.api });
    const calls = Object.entries(callsOf(`${address}predict`)).flatMap(([language, call]) => [
      element("h2", {}, language),
      element("pre", { tabindex: "0", "aria-label": language }, call),
      button(words.apiCopy(language), async () => (said.textContent = await copy(call, words.apiNotCopied))),
    ]);
    const more = element("a", { href: `${address}openapi.json` }, words.apiMore);
    dialog.append(element("p", {}, words.apiAbout), ...calls, said, element("div", { class: "fv-tools" }, close, more));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    close.focus();
  });
  open.classList.add("fv-use-api");
  return open;
}

/**
 * A call in each language that answers `photo.jpg`, or in a browser `photo`.
 * @param {string} address
 * @returns {Record<string, string>}
 */
export function callsOf(address) {
  return {
    curl: `curl --data-binary @photo.jpg ${address}`,
    Python: [
      "import json, urllib.request",
      "",
      'photo = open("photo.jpg", "rb").read()',
      `request = urllib.request.Request("${address}", photo, {"Content-Type": "image/jpeg"})`,
      'print(json.load(urllib.request.urlopen(request))["label"])',
    ].join("\n"),
    JavaScript: [
      `const response = await fetch("${address}", { method: "POST", body: photo });`,
      "console.log((await response.json()).label);",
    ].join("\n"),
  };
}
