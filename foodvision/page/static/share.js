// The app's address, to copy or as a QR code for a phone.
import { button, element } from "./element.js";
import { labels } from "./words.js";

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
    const copy = button(labels.copyAddress, async () => (done.textContent = await copied(address)));
    const close = button(labels.close, () => dialog.close());
    const tools = element("div", { class: "fv-tools" }, copy, close);
    const dialog = element("dialog", { class: "foodvision fv-dialog", "aria-label": labels.share });
    dialog.append(...(qrCode ? [codeOf(qrCode(address))] : []), field, tools, done);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    copy.focus();
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
 * Copies text and says whether that worked. Browsers only allow it on pages opened over https or on this machine.
 * @param {string} text
 */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return labels.copied;
  } catch {
    return labels.notCopied;
  }
}
