// Every sentence on the page; buttons are labelled where they are made. Sentences about a photo that cannot be read come from whoever tried to read it.

/** @import { Classes, Prediction } from "./types" */

/** What can be pressed, and what screen readers read out. */
export const labels = {
  choose: "Choose a photo",
  takeOnPhone: "Take a photo",
  dropped: "What you dropped",
  /** @param {string} name */
  photo: (name) => `Your photo, ${name}`,
  progress: "Photos done",
  answers: "Answers",
  clear: "Clear",
  close: "Close",
  camera: "Use the camera",
  cameraDialog: "Camera",
  cameraPicture: "What the camera sees",
  shutter: "Take the photo",
  noCamera: "No camera.",
  copyJson: "Copy as JSON",
  saveJson: "Save as JSON",
  savePicture: "Save as a picture",
  copied: "Copied.",
  notCopied: "Your browser does not let this page copy.",
  share: "Share this app",
  address: "Address of this app",
  copyAddress: "Copy the address",
  qrCode: "QR code of the address, for a phone's camera",
  verdict: "Is this answer right?",
  right: "Right",
  wrong: "It was",
  keepPhoto: "Keep my photo, too",
};

/** @type {Record<string, string>} Background classes in the middle of a sentence. */
const BACKGROUND_NOUNS = { other_food: "another food", not_food: "no food at all" };
const MAX_NAMED = 5; // classes in a sentence, and bars below an answer; more are counted

/**
 * A prediction in words: a heading, how sure it is, and a bar for each of the likeliest classes, the label's first.
 * @param {Prediction} prediction
 * @param {Classes} classes
 */
export function describe({ label, probability, probabilities, unsure, seconds }, classes) {
  const names = Object.keys(probabilities);
  const ranked = [...names].sort(
    (a, b) => Number(b === label) - Number(a === label) || probabilities[b] - probabilities[a],
  );
  return {
    heading: headingOf(label, names, classes),
    confidence: `${capitalized(percent(probability))} sure`,
    time: `in ${Number(seconds.toPrecision(2))} s`,
    doubt: unsure && ranked.length > 1 ? `It could also be ${nounOf(ranked[1], classes)}.` : "",
    bars: ranked.slice(0, MAX_NAMED).map((name) => ({
      title: titleOf(name, classes),
      share: probabilities[name],
      percent: percent(probabilities[name]),
    })),
  };
}

/**
 * What the page is for, in one sentence; empty if the classes are not known.
 * @param {Classes} classes
 */
export function invitation(classes) {
  const names = Object.keys(classes.titles);
  if (!names.length) return "";
  const wanted = names.filter((name) => !isBackground(name, classes));
  if (wanted.length > MAX_NAMED) return `Choose a photo to see which of ${wanted.length} classes it shows.`;
  const background = names.filter((name) => isBackground(name, classes)).reverse();
  const nouns = [...wanted, ...background].map((name) => nounOf(name, classes));
  return `Choose a photo to see whether it's ${either([...new Set(nouns)])}.`;
}

/**
 * @param {string} name
 * @param {Classes} classes
 */
export function titleOf(name, { titles }) {
  return capitalized(wordsOf(name, titles));
}

/**
 * Never 0% or 100%: no model is that sure.
 * @param {number} probability
 */
export function percent(probability) {
  if (probability < 0.01) return "under 1%";
  if (probability > 0.99) return "over 99%";
  return `${Math.round(100 * probability)}%`;
}

/** @param {string} label @param {string[]} names @param {Classes} classes */
function headingOf(label, names, classes) {
  if (!isBackground(label, classes)) return titleOf(label, classes);
  const wanted = names.filter((name) => !isBackground(name, classes));
  const list =
    wanted.length > MAX_NAMED
      ? `one of the ${wanted.length} I know`
      : either(wanted.map((name) => nounOf(name, classes)));
  return classes.background[label].replaceAll("{foods}", () => list);
}

/**
 * A class in the middle of a sentence.
 * @param {string} name
 * @param {Classes} classes
 */
function nounOf(name, classes) {
  if (!isBackground(name, classes)) return wordsOf(name, classes.titles);
  return Object.hasOwn(BACKGROUND_NOUNS, name) ? BACKGROUND_NOUNS[name] : "something else";
}

/** @param {string} name @param {Record<string, string>} titles */
function wordsOf(name, titles) {
  return Object.hasOwn(titles, name) ? titles[name] : name.replaceAll("_", " ");
}

/** @param {string} name @param {Classes} classes */
function isBackground(name, { background }) {
  return Object.hasOwn(background, name);
}

/** @param {string[]} nouns */
function either(nouns) {
  return nouns.length > 1 ? `${nouns.slice(0, -1).join(", ")} or ${nouns.at(-1)}` : nouns.join();
}

/** @param {string} text */
function capitalized(text) {
  const [first = "", ...rest] = text;
  return first.toUpperCase() + rest.join("");
}

/** @param {boolean} feedback */
export function promise(feedback) {
  if (!feedback) return "No photo is kept.";
  return "If you say whether an answer is right, your verdict is kept with the answer. No photo is kept unless you say so.";
}

/** @param {boolean} phone */
export function hint(phone) {
  return phone ? "You can choose several." : "You can choose several, drop them here or paste them.";
}

/** @param {{ photo: boolean }} kept */
export function thanks({ photo }) {
  return photo ? "Thank you. Your verdict and photo are kept." : "Thank you. Your verdict is kept.";
}

/** @param {number} done @param {number} all @param {number} bad */
export function tally(done, all, bad) {
  return `${done} of ${all} done${bad ? `, ${bad} could not be read` : ""}`;
}

/** What is happening to a photo that has no answer yet. */
export const doing = {
  /** @param {string} name */
  reading: (name) => `Reading ${name}…`,
  /** @param {string} name */
  waiting: (name) => `${name} is waiting for the app to start…`,
  /** @param {string} name @param {number} share */
  sending: (name, share) => `Sending ${name}… ${percent(share)}`,
  /** @param {string} name */
  looking: (name) => `Looking at ${name}…`,
};

/** @param {number} size @param {number} limit */
export function tooLarge(size, limit) {
  return (
    `Your browser cannot show this file, and at ${megabytes(size)} it is too large to send as it is ` +
    `(${megabytes(limit)} at most). Save it as a JPEG and choose that.`
  );
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export const UNREADABLE = "Your browser cannot read this file. Please choose it again.";
export const NOT_A_FILE = "is not a file. Save the picture, then drop the saved file.";

/** @param {number} count */
export function leftOut(count) {
  const [photos, them] = count === 1 ? ["One photo", "it"] : [`${count} photos`, "them"];
  return `${photos} could not be kept while the page reloaded. Please choose ${them} again.`;
}

export const gone = {
  page: "The app isn't answering: the connection is lost or the app has stopped. Your photos are still here.",
  elsewhere: "In a new copy of the app you may have to choose them again.", // a tab keeps photos for one host alone
  notebook: "The kernel isn't answering. Restart it and run this notebook again.",
  reload: "Reload and ask again",
  start: "Start a new copy of the app",
};

/** Why the camera can't be used. @param {string} error @param {boolean} secure */
export function noCamera(error, secure) {
  if (!secure) return "Browsers only allow cameras on pages opened over https. Choose a photo instead.";
  if (error === "NotAllowedError") return "This page may not use it. Allow it next to the address, or choose a photo.";
  if (error === "NotFoundError") return "This device has none. Choose a photo instead.";
  return "It could not be opened; another app may be using it. Close that app, or choose a photo.";
}

/** Answering on the visitor's own device. */
export const onDevice = {
  answer: "Answer on this device",
  stays: "Your photos stay on this device.",
  /** @param {number} share */
  loading: (share) => `Loading the model… ${percent(share)}`,
  starting: "The app is still starting. This device can answer in the meantime.",
  gone: "This device can answer without the app.",
  unreadable: "Your browser cannot read this file, so this device cannot answer it. Save it as a JPEG and choose that.",
  newer: "There is a newer model by now. Reload the page to use it.",
  offline: "The model could not be loaded. Check your connection, then choose the photo again.",
  tooOld: "This browser is too old to answer on this device. Update it, or use another browser.",
  failed: "This device could not answer. It may be short of memory: close other tabs and reload the page.",
};

/** The camera with a label that follows what it shows. */
export const live = {
  open: "Live camera",
  starting: "Getting ready…",
  torch: "Light",
  other: "Other camera",
  /** What to do while there is nothing to name. @param {Classes} classes */
  pointAt: ({ background }) =>
    Object.hasOwn(background, "not_food") ? "Point at a dish" : "Point at something I know",
};

export const COPIED = "Copied.";

// Browsers offer the clipboard only to pages opened over https or on this machine.
export const notCopied = {
  address: "Your browser does not let this page copy. Select the address and copy it yourself.",
  json: "Your browser does not let this page copy. Save the answers as JSON instead.",
};

/** @param {number} pictures */
export function saved(pictures) {
  if (pictures === 1) return "Saved.";
  return `Saved as ${pictures} pictures. If your browser asks, allow it to download several files.`;
}

export const NOT_SAVED =
  "Your browser is short of memory for this picture. Save fewer photos at a time, or save them as JSON.";

/** How programs can ask. */
export const api = {
  open: "Use via API",
  about: "Programs ask this server for the same answers:",
  more: "Description of the API (OpenAPI)",
  /** @param {string} language */
  copy: (language) => `Copy for ${language}`,
  notCopied: "Your browser does not let this page copy. Select the call and copy it yourself.",
};

export const NO_ANSWER = "The app could not answer. Please try again.";
