// The address of the app, to copy, and as a QR code for a phone.
import { button, element } from "./element.js";

export function shareButton(link, qrCode) {
  const share = button("Share this app", () => {
    const address = element("input", { readonly: "", value: link, "aria-label": "Address of this app" });
    address.addEventListener("focus", () => address.select());
    const done = element("p", { class: "fv-hint", role: "status" });
    const copy = button("Copy the address", async () => (done.textContent = await copied(link)));
    const close = button("Close", () => dialog.close());
    const image = element("img", { src: qrCode, alt: "QR code of the address, for a phone's camera" });
    const tools = element("div", { class: "fv-tools" }, copy, close);
    const dialog = element("dialog", { class: "foodvision fv-dialog", "aria-label": "Share this app" });
    dialog.append(image, address, tools, done);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    copy.focus();
  });
  share.classList.add("fv-share");
  return share;
}

// Says what became of it. Browsers lend the clipboard only to pages opened over https, or on this machine.
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied.";
  } catch {
    return "Your browser does not let this page copy.";
  }
}
