// The camera's picture with a label that follows what it shows.
import { whyNot } from "./camera.js";
import { describe, isBackground } from "./describe.js";
import { button, element } from "./element.js";
import { toBlob } from "./photo.js";
import { words } from "./words.js";

/** @import { Device } from "./device.js" */
/** @import { Classes, Complain, Look, Prediction } from "./types" */

const STEADY_FRAMES = 3; // with the same answer, before it is shown

/**
 * Which answer to show while the camera moves: one that some frames in a row agree on, and none while they are unsure.
 */
export class Steady {
  /** @type {string | null} */
  shown = null;
  /** @type {string | null} */
  candidate = null;
  frames = 0;

  /** @param {Prediction} prediction @param {Record<string, string>} background */
  follow({ label, unsure }, background) {
    const seen = unsure || Object.hasOwn(background, label) ? null : label;
    this.frames = seen === this.candidate ? this.frames + 1 : 1;
    this.candidate = seen;
    if (this.frames >= STEADY_FRAMES) this.shown = seen;
    return this.shown;
  }
}

/**
 * @param {Device} device
 * @param {() => Classes} classes
 * @param {Look} look
 * @param {Complain} complain
 */
export function viewfinderButton(device, classes, look, complain) {
  return button(words.live, () => new Viewfinder(device, classes(), look, complain).open());
}

class Viewfinder {
  /** @type {MediaStream | undefined} */
  stream;
  steady = new Steady();
  isOpen = false;
  first = true; // whether no frame has been answered since the camera started
  /** @type {MediaTrackConstraints} */
  wanted = { facingMode: "environment", width: 1280 };

  /** @param {Device} device @param {Classes} classes @param {Look} look @param {Complain} complain */
  constructor(device, classes, look, complain) {
    this.device = device;
    this.classes = classes;
    this.look = look;
    this.complain = complain;
    this.video = element("video", { autoplay: "", muted: "", playsinline: "", "aria-label": words.cameraPicture });
    this.video.muted = true; // the attribute alone is not enough for Safari
    this.said = element("p", { class: "fv-live", "aria-live": "polite" });
    this.shutter = button(words.shutter, () => this.take());
    this.shutter.className = "fv-button";
    this.torch = button(words.torch, () => this.toggleTorch());
    this.other = button(words.otherCamera, () => this.switchCamera());
    this.torch.hidden = this.other.hidden = true; // until the camera has started and says what it can
    const close = button(words.close, () => this.dialog.close());
    const tools = element("div", { class: "fv-tools" }, this.shutter, this.other, this.torch, close);
    this.dialog = element(
      "dialog",
      { class: "foodvision fv-dialog", "aria-label": words.cameraDialog },
      this.video,
      this.said,
      tools,
    );
  }

  async open() {
    this.complain();
    this.isOpen = true;
    const hidden = () => (document.visibilityState === "visible" ? this.start() : this.stop());
    document.addEventListener("visibilitychange", hidden);
    this.dialog.addEventListener("close", () => {
      this.isOpen = false;
      document.removeEventListener("visibilitychange", hidden);
      this.stop();
      this.dialog.remove();
    });
    document.body.append(this.dialog); // Safari only plays what is in the document
    this.dialog.showModal();
    await this.start();
  }

  async start() {
    this.stop();
    this.shutter.disabled = true;
    this.torch.hidden = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: this.wanted });
      if (!this.isOpen || document.visibilityState !== "visible") return stopTracks(stream);
      this.stream = stream;
      this.video.srcObject = stream;
      await this.video.play();
    } catch (error) {
      this.dialog.close();
      return this.complain(words.noCamera, whyNot(/** @type {Error} */ (error).name, isSecureContext));
    }
    this.shutter.disabled = false;
    this.first = true;
    await this.showTools();
    this.follow(this.stream);
  }

  stop() {
    if (this.stream) stopTracks(this.stream);
    this.stream = undefined;
  }

  // Only once the visitor has allowed one camera does the browser say which others there are.
  async showTools() {
    const cameras = await videoInputs();
    this.other.hidden = cameras.length < 2;
    const [track] = this.stream?.getVideoTracks() ?? [];
    const can = /** @type {any} */ (track?.getCapabilities?.() ?? {});
    this.torch.hidden = !can.torch;
    this.torch.setAttribute("aria-pressed", "false");
  }

  /** One frame after the other, until the camera stops. @param {MediaStream} stream */
  async follow(stream) {
    try {
      this.said.textContent = words.liveStarting;
      await this.device.load();
      const next = () => grab(this.video, this.device.shortSide);
      let picture = await next();
      while (this.stream === stream) {
        const answer = this.device.frame(picture, this.first);
        const [prediction, grabbed] = await Promise.all([answer, next()]); // while the model looks at this one
        picture = grabbed;
        this.first = false;
        if (this.stream === stream) this.show(prediction);
      }
    } catch (error) {
      if (this.stream === stream) this.said.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {Prediction} prediction */
  show(prediction) {
    const label = this.steady.follow(prediction, this.classes.background);
    const text = label ? describe({ ...prediction, label }, this.classes).heading : pointAt(this.classes);
    if (this.said.textContent !== text) this.said.textContent = text;
    this.said.dataset.frames = String(Number(this.said.dataset.frames ?? 0) + 1);
  }

  async take() {
    this.shutter.disabled = true;
    const canvas = element("canvas", { width: this.video.videoWidth, height: this.video.videoHeight });
    canvas.getContext("2d")?.drawImage(this.video, 0, 0);
    const photo = await toBlob(canvas, "image/jpeg");
    this.dialog.close();
    if (photo) this.look([new File([photo], "camera.jpg", { type: photo.type })]);
  }

  async toggleTorch() {
    const on = this.torch.getAttribute("aria-pressed") !== "true";
    const [track] = this.stream?.getVideoTracks() ?? [];
    const wanted = /** @type {any} */ ({ advanced: [{ torch: on }] });
    await track?.applyConstraints(wanted).then(
      () => this.torch.setAttribute("aria-pressed", String(on)),
      () => (this.torch.hidden = true),
    );
  }

  async switchCamera() {
    const ids = (await videoInputs()).map(({ deviceId }) => deviceId);
    const now = this.stream?.getVideoTracks()[0]?.getSettings().deviceId ?? "";
    this.wanted = { deviceId: { exact: ids[(ids.indexOf(now) + 1) % ids.length] }, width: 1280 };
    await this.start();
  }
}

/** What to do while there is nothing to name. @param {Classes} classes */
export function pointAt(classes) {
  return isBackground("not_food", classes) ? words.pointAtDish : words.pointAtSomething;
}

/**
 * A frame no larger than the model reads; the photo itself has all that the camera gives.
 * @param {HTMLVideoElement} video
 * @param {number} shortSide in pixels
 */
function grab(video, shortSide) {
  const scale = Math.min(1, shortSide / Math.min(video.videoWidth, video.videoHeight));
  const [resizeWidth, resizeHeight] = [video.videoWidth, video.videoHeight].map((side) => Math.round(scale * side));
  return createImageBitmap(video, { resizeWidth, resizeHeight, resizeQuality: "medium" });
}

/** @param {MediaStream} stream */
function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}

async function videoInputs() {
  const all = (await navigator.mediaDevices.enumerateDevices?.()) ?? [];
  return all.filter(({ kind }) => kind === "videoinput");
}
