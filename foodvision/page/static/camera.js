// A live camera with a shutter, or the reason why there isn't one.
import { button, element, onPhone } from "./element.js";
import { icon } from "./icons.js";
import { chooser } from "./inputs.js";
import { toBlob } from "./photo.js";
import { words } from "./words.js";

/** @import { Complain, Look } from "./types" */

/** @param {Look} look @param {Complain} complain */
export function cameraButton(look, complain) {
  if (onPhone()) return chooser(words.takeOnPhone, "camera", { capture: "environment" }, look);
  const open = button(words.camera, () => openCamera(look, complain));
  open.prepend(icon("camera"));
  return open;
}

/** @param {Look} look @param {Complain} complain */
async function openCamera(look, complain) {
  complain();
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: 1280 } });
  } catch (error) {
    return complain(words.noCamera, whyNot(/** @type {Error} */ (error).name, isSecureContext));
  }
  const video = element("video", { autoplay: "", muted: "", playsinline: "", "aria-label": words.cameraPicture });
  video.srcObject = stream;
  const shutter = button(words.shutter, async () => {
    const photo = await snap(video);
    dialog.close();
    if (photo) look([new File([photo], "camera.jpg", { type: photo.type })]);
  });
  shutter.className = "fv-button";
  shutter.disabled = true;
  video.addEventListener("playing", () => (shutter.disabled = false));
  const close = button(words.close, () => dialog.close());
  const tools = element("div", { class: "fv-tools" }, shutter, close);
  const dialog = element("dialog", { class: "foodvision fv-dialog", "aria-label": words.cameraDialog }, video, tools);
  dialog.addEventListener("close", () => {
    for (const track of stream.getTracks()) track.stop();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
}

/** Why the camera can't be used. @param {string} error @param {boolean} secure */
export function whyNot(error, secure) {
  if (!secure) return words.cameraNeedsHttps;
  if (error === "NotAllowedError") return words.cameraForbidden;
  return error === "NotFoundError" ? words.cameraMissing : words.cameraBusy;
}

/** @param {HTMLVideoElement} video */
function snap(video) {
  const canvas = element("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return toBlob(canvas, "image/jpeg");
}
