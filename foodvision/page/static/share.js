// The app's address, to copy or as a QR code for a phone.
import { button, element } from "./element.js";
import { COPIED, labels, notCopied } from "./words.js";

/**
 * `qrCode` returns the address of an image.
 * @param {string} address
 * @param {((text: string) => Promise<string>) | undefined} qrCode
 */
export function shareButton(address, qrCode) {
  const share = button(labels.share, () => {
    const field = element("input", { readonly: "", value: address, "aria-label": labels.address });
    field.addEventListener("focus", () => field.select());
    const done = element("p", { class: "fv-hint", role: "status" });
    const copying = button("Copy the address", async () => (done.textContent = await copy(address, notCopied.address)));
    const close = button("Close", () => dialog.close());
    const tools = element("div", { class: "fv-tools" }, copying, close);
    const dialog = element("dialog", { class: "foodvision fv-dialog", "aria-label": "Share this app" });
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
  const image = element("img", { class: "fv-code", alt: labels.qrCode });
  code.then((source) => (image.src = source)).catch(() => image.remove());
  return image;
}

/**
 * Copies `text` to the clipboard; returns the sentence that says so, or `failed`.
 * @param {string} text
 * @param {string} failed
 */
export async function copy(text, failed) {
  try {
    await navigator.clipboard.writeText(text);
    return COPIED;
  } catch {
    return failed;
  }
}
