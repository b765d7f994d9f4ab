// A live camera with a shutter, or the reason why there isn't one.
import { button, element, onPhone } from "./element.js";
import { chooser } from "./inputs.js";
import { toBlob } from "./photo.js";
import { labels, noCamera } from "./words.js";

/** @import { Complain, Look } from "./types" */

/** @param {Look} look @param {Complain} complain */
export function cameraButton(look, complain) {
  if (onPhone()) return chooser(labels.takeOnPhone, { capture: "environment" }, look);
  return button(labels.camera, () => openCamera(look, complain));
}

/** @param {Look} look @param {Complain} complain */
async function openCamera(look, complain) {
  complain();
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: 1280 } });
  } catch (error) {
    return complain(labels.noCamera, noCamera(/** @type {Error} */ (error).name, isSecureContext));
  }
  const video = element("video", { autoplay: "", muted: "", playsinline: "", "aria-label": labels.cameraPicture });
  video.srcObject = stream;
  const shutter = button(labels.shutter, async () => {
    const photo = await snap(video);
    dialog.close();
    if (photo) look([new File([photo], "camera.jpg", { type: photo.type })]);
  });
  shutter.className = "fv-button";
  shutter.disabled = true;
  video.addEventListener("playing", () => (shutter.disabled = false));
  const close = button(labels.close, () => dialog.close());
  const tools = element("div", { class: "fv-tools" }, shutter, close);
  const dialog = element("dialog", { class: "foodvision fv-dialog", "aria-label": labels.cameraDialog }, video, tools);
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
