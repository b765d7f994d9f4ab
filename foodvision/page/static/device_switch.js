// The control "Answer on this device".
import { percent } from "./describe.js";
import { deviceOf } from "./device.js";
import { button, element } from "./element.js";
import { viewfinderButton } from "./viewfinder.js";
import { words } from "./words.js";

/** @import { Answerer, Classes, Complain, DeviceFiles, Look, Settings } from "./types" */
/** @typedef {{ look: Look, complain: Complain, classes: () => Classes, changed: () => void }} DeviceActs */

const REMEMBERED = "foodvision-on-device";
const OFFER_AFTER_MS = 3000; // of waiting for the app to start
const SETTLED_MS = 2000; // after loading: the service worker reads all files again, and a first photo goes ahead of that

/**
 * Puts the control at the end of the foot, and what it says before `node`, if the page can offer it. `changed` is called
 * when it is switched.
 * @param {Settings} settings
 * @param {{ node: HTMLElement, foot: HTMLElement }} places
 * @param {DeviceActs} acts
 */
export function mountDevice({ device }, places, acts) {
  return device ? new DeviceSwitch(device, places, acts) : NO_SWITCH;
}

const NO_SWITCH = {
  on: false,
  answerer: undefined,
  /** @param {Promise<Answerer>} other */
  or: (other) => other,
  offer() {},
  withdraw() {},
};

class DeviceSwitch {
  /** @param {DeviceFiles} files @param {{ node: HTMLElement, foot: HTMLElement }} places @param {DeviceActs} acts */
  constructor(files, { node, foot }, { look, complain, classes, changed }) {
    this.files = files;
    this.device = deviceOf(files);
    this.changed = changed;
    this.input = element("input", { type: "checkbox", role: "switch" });
    this.input.checked = files.only || recall();
    this.input.addEventListener("change", () => this.turned());
    this.said = element("span", { role: "status" });
    this.live = viewfinderButton(this.device, classes, look, complain);
    this.offered = element("div");
    if (!files.only) foot.append(element("label", { class: "fv-on-device" }, this.input, ` ${words.onDevice}`));
    node.before(element("div", { class: "fv-device" }, this.said, " ", this.live), this.offered);
    this.device.onProgress = (share) => this.say(share);
    this.live.hidden = !this.on;
    if (this.on) this.load();
  }

  get on() {
    return this.input.checked;
  }

  get answerer() {
    return this.device.answerer;
  }

  turned() {
    remember(this.on);
    this.live.hidden = !this.on;
    this.said.textContent = "";
    this.withdraw();
    if (this.on) this.load();
    this.said.scrollIntoView({ block: "nearest" });
    this.changed();
  }

  load() {
    this.device.load().then(
      () => {
        this.say(1);
        setTimeout(() => this.keepOffline(), SETTLED_MS);
      },
      ({ message }) => (this.said.textContent = message),
    );
  }

  keepOffline() {
    if (this.files.service_worker) navigator.serviceWorker?.register(this.files.service_worker);
  }

  /** @param {number} share */
  say(share) {
    if (this.on) this.said.textContent = share < 1 ? words.deviceLoading(percent(share)) : words.deviceStays;
  }

  /**
   * The device's answerer if it is switched on. Otherwise the other, and the device is offered while that isn't ready.
   * @param {Promise<Answerer>} other
   * @returns {Promise<Answerer>}
   */
  async or(other) {
    if (this.on) return this.device.answerer;
    const waiting = setTimeout(() => this.offer(words.deviceStarting), OFFER_AFTER_MS);
    return other.finally(() => {
      clearTimeout(waiting);
      this.withdraw();
    });
  }

  /** @param {string} sentence */
  offer(sentence = words.deviceGone) {
    if (this.on || this.offered.firstChild) return;
    const accept = button(words.onDevice, () => {
      this.input.checked = true;
      this.turned();
    });
    this.offered.append(element("div", { class: "fv-notice", role: "status" }, element("p", {}, sentence), accept));
  }

  withdraw() {
    this.offered.replaceChildren();
  }
}

// A browser may refuse to remember anything.
function recall() {
  try {
    return localStorage.getItem(REMEMBERED) === "yes";
  } catch {
    return false;
  }
}

/** @param {boolean} on */
function remember(on) {
  try {
    localStorage.setItem(REMEMBERED, on ? "yes" : "no");
  } catch {}
}
