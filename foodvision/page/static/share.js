// Shares the app's address, and answers.
import { titleOf } from "./describe.js";
import { button, element } from "./element.js";
import { linkTo } from "./fragment.js";
import { toPictures } from "./picture.js";
import { words } from "./words.js";

/** @import { Classes, Photo } from "./types" */

/**
 * The app's address, to copy or as a QR code for a phone. `qrCode` returns the address of an image.
 * @param {string} address
 * @param {((text: string) => Promise<string>) | undefined} qrCode
 */
export function shareButton(address, qrCode) {
  const share = button(words.shareApp, () => {
    const field = element("input", { readonly: "", value: address, "aria-label": words.address });
    field.addEventListener("focus", () => field.select());
    const done = element("p", { class: "fv-hint", role: "status" });
    const copying = button(
      words.copyAddress,
      async () => (done.textContent = await copy(address, words.addressNotCopied)),
    );
    const close = button(words.close, () => dialog.close());
    const tools = element("div", { class: "fv-tools" }, copying, close);
    const dialog = element("dialog", { class: "foodvision fv-dialog", "aria-label": words.shareApp });
    dialog.append(...(qrCode ? [codeOf(qrCode(address))] : []), field, tools, done);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    copying.focus();
  });
  share.classList.add("fv-share");
  return share;
}

// Reserves space for the code, which appears once the kernel has drawn it.
/** @param {Promise<string>} code */
function codeOf(code) {
  const image = element("img", { class: "fv-code", alt: words.qrCode });
  code.then((source) => (image.src = source)).catch(() => image.remove());
  return image;
}

/**
 * Hands an answer to the device's own sheet, as a picture and a link; where there is no sheet, copies the link. Returns
 * the sentence that says what happened.
 * @param {Photo} photo
 * @param {Classes} classes
 * @param {{ big: boolean, address: string }} page
 */
export async function shareAnswer(photo, classes, page) {
  const { said, prediction } = photo;
  if (!said || !prediction) return "";
  const url = page.address && linkTo(page.address, prediction, page.big);
  const text = said.kind === "sure" ? titleOf(said.label, classes) : said.heading;
  const data = { title: document.title, text, ...(url && { url }) };
  const files = await picturesOf(photo, classes, page);
  try {
    if (navigator.canShare?.({ ...data, files })) await navigator.share({ ...data, files });
    else if (navigator.canShare?.(data) && url) await navigator.share(data);
    else return await copy(url, words.linkNotCopied);
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "AbortError" && url) return copy(url, words.linkNotCopied);
  }
  return "";
}

/** Whether there is something to share, and a way. @param {string} address */
export function canShare(address) {
  return Boolean(address || navigator.canShare?.({ files: [new File([], "foodvision.png", { type: "image/png" })] }));
}

/** @param {Photo} photo @param {Classes} classes @param {{ big: boolean, address: string }} page */
async function picturesOf(photo, classes, page) {
  /** @type {File[]} */
  const files = [];
  if (!photo.jpeg || !navigator.canShare) return files;
  try {
    for await (const picture of toPictures([photo], classes, page)) {
      files.push(new File([picture], "foodvision.png", { type: "image/png" }));
    }
  } catch {} // short of memory: the link is shared alone
  return files;
}

/**
 * Copies `text` to the clipboard; returns the sentence that says so, or `failed`.
 * @param {string} text
 * @param {string} failed
 */
export async function copy(text, failed) {
  try {
    await navigator.clipboard.writeText(text);
    return words.copied;
  } catch {
    return failed;
  }
}
