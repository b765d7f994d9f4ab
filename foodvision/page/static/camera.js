// A live camera with a shutter, or the reason why there is none.
import { button, element, onPhone } from "./element.js";
import { chooser } from "./inputs.js";
import { toBlob } from "./photo.js";
import { noCamera } from "./words.js";

/** @import { Complain, Look } from "./types" */

/** @param {Look} look @param {Complain} complain */
export function cameraButton(look, complain) {
  if (onPhone()) return chooser("Take a photo", { capture: "environment" }, look);
  return button("Use the camera", () => openCamera(look, complain));
}

/** @param {Look} look @param {Complain} complain */
async function openCamera(look, complain) {
  complain();
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: 1280 } });
  } catch (error) {
    return complain("No camera.", noCamera(/** @type {Error} */ (error).name, isSecureContext));
  }
  const video = element("video", { autoplay: "", muted: "", playsinline: "", "aria-label": "What the camera sees" });
  video.srcObject = stream;
  const shutter = button("Take the photo", async () => {
    const photo = await snap(video);
    dialog.close();
    if (photo) look([new File([photo], "camera.jpg", { type: photo.type })]);
  });
  shutter.className = "fv-button";
  shutter.disabled = true;
  video.addEventListener("playing", () => (shutter.disabled = false));
  const close = button("Close", () => dialog.close());
  const tools = element("div", { class: "fv-tools" }, shutter, close);
  const dialog = element("dialog", { class: "foodvision fv-dialog", "aria-label": "Camera" }, video, tools);
  dialog.addEventListener("close", () => {
    for (const track of stream.getTracks()) track.stop();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {HTMLVideoElement} video */
function snap(video) {
  const canvas = element("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return toBlob(canvas, "image/jpeg");
}
