// Everything the page says, in English: sentences, or functions of the values in them. describe.js chooses among them.
// Sentences about a photo that can't be read come from whoever tried to read it; translations word them by their code.

/** @typedef {typeof ENGLISH} Words */

export const ENGLISH = {
  language: "en-GB", // for lists and numbers: "pizza, steak or sushi", "87%"

  // What the page is for
  question: (/** @type {string} */ answers) => `Is it ${answers}?`,
  questionOfMany: (/** @type {string} */ count) => `Which of ${count} is it?`,
  questionOfDishes: (/** @type {string} */ count) => `Which of ${count} dishes is it?`,
  plainQuestion: "What is in your photo?",
  detail: "Level of detail",
  fewAnswers: (/** @type {string} */ answers) => answers,
  allDishes: (/** @type {string} */ count) => `${count} dishes`,

  // Ways to add photos
  choose: "Choose a photo",
  takeOnPhone: "Take a photo",
  camera: "Use the camera",
  hint: "You can also drop photos here, or paste them.",
  hintOnPhone: "You can choose several at once.",
  letGo: "Drop it here",
  dropped: "What you dropped",
  notAFile: "is not a file. Save the picture, then drop the saved file.",
  examples: "No photo at hand? Try one of these:",
  example: (/** @type {string} */ name) => `Example: ${name}`,
  noExample: "This example could not be loaded. Please try again.",
  cameraDialog: "Camera",
  cameraPicture: "What the camera sees",
  shutter: "Take the photo",
  close: "Close",
  noCamera: "No camera.",
  cameraNeedsHttps: "Browsers only allow cameras on pages opened over https. Choose a photo instead.",
  cameraForbidden: "This page isn't allowed to use the camera. Allow it in the address bar, or choose a photo.",
  cameraMissing: "This device has none. Choose a photo instead.",
  cameraBusy: "It could not be opened; another app may be using it. Close that app, or choose a photo.",

  // What is happening to a photo that has no answer yet
  reading: (/** @type {string} */ name) => `Reading ${name}…`,
  waiting: (/** @type {string} */ name) => `${name} is waiting for the app to start…`,
  sending: (/** @type {string} */ name, /** @type {string} */ percent) => `Sending ${name}… ${percent}`,
  looking: (/** @type {string} */ name) => `Looking at ${name}…`,
  unreadable: "Your browser can't read this file. Please choose it again.",
  tooLarge: (/** @type {string} */ size, /** @type {string} */ limit) =>
    `Your browser can't show this file, and at ${size} it is too large to send as it is (${limit} at most). ` +
    "Save it as a JPEG and choose that.",
  megabytes: (/** @type {string} */ number) => `${number} MB`,

  // Answers
  photo: (/** @type {string} */ name) => `Your photo, ${name}`,
  veryLikely: "Very likely",
  likely: "Likely",
  probably: "More likely than not",
  notSure: (/** @type {string} */ title) => `Not sure: perhaps ${title}`,
  orElse: (/** @type {string} */ title) => `It could also be ${title}.`,
  otherFood: (/** @type {string} */ answers) => `Not ${answers}`,
  notFood: "I don't see food here",
  noneOf: (/** @type {string} */ answers) => `Not ${answers}`,
  oneOfMany: (/** @type {string} */ count) => `one of the ${count} I know`, // in "Not one of the 37 I know"
  perhaps: (/** @type {string} */ title) => `Perhaps ${title}`,
  presumably: (/** @type {string} */ title) => `Probably ${title}`,
  another: "some other food", // in "It could also be some other food."
  nothing: "no food at all",
  somethingElse: "something else",
  sureIn: (/** @type {string} */ percent, /** @type {string} */ seconds) => `${percent} sure, in ${seconds} s`,
  sure: (/** @type {string} */ percent) => `${percent} sure`,
  under: (/** @type {string} */ percent) => `under ${percent}`,
  over: (/** @type {string} */ percent) => `over ${percent}`,
  numbers: "All the numbers",
  why: "What did it look at?",
  whySaid: "The model sees only what is in the frame. What glows counted most towards the answer.",
  linked: "An answer that someone sent you",
  linkedSaid: "Someone sent you this answer. Their photo stayed with them.",

  // Several photos
  progress: "Photos done",
  tally: (/** @type {number} */ done, /** @type {number} */ all) => `${done} of ${all} done`,
  tallyWithBad: (/** @type {number} */ done, /** @type {number} */ all, /** @type {number} */ bad) =>
    `${done} of ${all} done, ${bad} could not be read`,
  remove: (/** @type {string} */ name) => `Remove ${name}`,
  show: "Show",
  showAll: "All answers",
  showDoubt: "Not sure",
  showNone: "None of these",
  showBad: "Could not be read",
  counted: (/** @type {string} */ title, /** @type {number} */ count) => `${title} (${count})`,
  sort: "Sort",
  sortNewest: "Newest first",
  sortByAnswer: "By answer",
  sortUnsure: "Least sure first",

  // After the answer
  answers: "Answers",
  clear: "Clear all",
  tryAnother: "Try another",
  share: "Share",
  savePicture: "Save picture",
  more: "More",
  copyLink: "Copy a link to this answer",
  copyJson: "Copy as JSON",
  saveJson: "Save as JSON",
  saveCsv: "Save as CSV",
  copied: "Copied.",
  linkNotCopied: "Your browser does not let this page copy. Share the app's address instead.",
  jsonNotCopied: "Your browser does not let this page copy. Save the answers as JSON instead.",
  addressNotCopied: "Your browser does not let this page copy. Select the address and copy it yourself.",
  saved: "Saved.",
  savedSeveral: (/** @type {number} */ pictures) =>
    `Saved as ${pictures} pictures. If your browser asks, allow it to download several files.`,
  notSaved: "Your browser is short of memory for this picture. Save fewer photos at a time, or save them as JSON.",
  shareApp: "Share this app",
  address: "Address of this app",
  copyAddress: "Copy the address",
  qrCode: "QR code of the address, for a phone's camera",

  // Feedback
  verdict: "Is this right?",
  yes: "Yes",
  no: "No",
  truth: "What is it?",
  send: "Send",
  askPhoto: "Thank you. May this page also keep your photo, so that the model can learn from it?",
  keepPhoto: "Keep my photo",
  noPhoto: "No, just my feedback",
  thanks: "Thank you. Your feedback is saved.",
  thanksForPhoto: "Thank you. Your feedback and photo are saved.",

  // At the foot of the page
  about: "About this page",
  aboutModel: "The model",
  aboutModelSaid: (/** @type {string} */ answers) =>
    `A neural network trained to recognise ${answers}. It gives each one a probability.`,
  manyThings: (/** @type {string} */ count) => `${count} different things`, // in "trained to recognise 37 different things"
  aboutLimits: "Its limits",
  aboutLimitsSaid:
    "It can be wrong, especially about photos unlike those it learned from. It can't tell what food contains: don't rely on it for allergies.",
  aboutLimitsSaidOfOthers:
    "It can be wrong, especially about photos unlike those it learned from. Don't rely on it where mistakes matter.",
  aboutPhotos: "Your photos",
  aboutPhotosSaid: "Your browser first shrinks each photo, and leaves out where and when it was taken.",
  notKept: "No photo is kept.",
  keptIfYouSay:
    "If you say whether an answer is right, your feedback is saved with the answer. No photo is kept unless you say so.",
  source: "Source code",
  appearance: "Appearance",
  system: "As on this device",
  light: "Light",
  dark: "Dark",

  // When the app is gone
  gone: "The app isn't answering: the connection is lost or the app has stopped. Your photos are still here.",
  goneElsewhere: "In a new copy of the app you may have to choose them again.", // a tab keeps photos for one host alone
  goneNotebook: "The kernel isn't answering. Restart it and run this notebook again.",
  reload: "Reload and ask again",
  start: "Start a new copy of the app",
  leftOutOne: "One photo could not be kept while the page reloaded. Please choose it again.",
  leftOut: (/** @type {number} */ count) =>
    `${count} photos could not be kept while the page reloaded. Please choose them again.`,

  // Answering on the visitor's own device
  onDevice: "Answer on this device",
  deviceStays: "Your photos stay on this device.",
  deviceLoading: (/** @type {string} */ percent) => `Loading the model… ${percent}`,
  deviceStarting: "The app is still starting. This device can answer in the meantime.",
  deviceGone: "This device can answer without the app.",
  deviceUnreadable:
    "Your browser can't read this file, so this device can't answer it. Save it as a JPEG and choose that.",
  deviceNewer: "A newer model is available. Reload the page to use it.",
  deviceOffline: "The model could not be loaded. Check your connection, then choose the photo again.",
  deviceTooOld: "This browser is too old to answer on this device. Update it, or use another browser.",
  deviceFailed: "This device could not answer. It may be short of memory: close other tabs and reload the page.",

  // The camera with a label that follows what it shows
  live: "Live camera",
  liveStarting: "Getting ready…",
  torch: "Light",
  otherCamera: "Other camera",
  pointAtDish: "Point at a dish",
  pointAtSomething: "Point at something I know",

  // How programs ask
  api: "Use via API",
  apiAbout: "Programs can get the same answers from this server:",
  apiMore: "Description of the API (OpenAPI)",
  apiCopy: (/** @type {string} */ language) => `Copy for ${language}`,
  apiNotCopied: "Your browser does not let this page copy. Select the call and copy it yourself.",
  apiNoAnswer: "The app could not answer. Please try again.",

  // What the model's classes are called in other languages; in English, as the model calls them
  dishes: /** @type {Record<string, string>} */ ({}),

  // Why a photo gets no answer, by code, in other languages; in English, as the app says it
  refusals: /** @type {Record<string, string | ((...values: string[]) => string)>} */ ({}),
};

/** The words in use: a translation replaces those it has. @type {Words} */
export const words = { ...ENGLISH };

/**
 * What the app says in English, in the visitor's language if it came with a code that has a translation.
 * @param {string} sentence
 * @param {{ code?: string, values?: string[] }} [wording]
 */
export function translated(sentence, { code = "", values = [] } = {}) {
  const said = Object.hasOwn(words.refusals, code) ? words.refusals[code] : sentence;
  return typeof said === "function" ? said(...values) : said;
}
