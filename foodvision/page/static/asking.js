// From a chosen photo to its answer.
import { megabytes, percent } from "./describe.js";
import { shrink } from "./photo.js";
import { words } from "./words.js";

/** @import { Answer, Answerer, Photo } from "./types" */

/** Shrinks and shows a photo, if the browser can. @param {Photo} photo @param {number} shortSide in pixels */
export async function makeSmall(photo, shortSide) {
  photo.card.say(words.reading(photo.name));
  photo.jpeg = await shrink(photo.file, shortSide).catch(() => null);
  if (photo.jpeg) photo.shown = photo.card.show(photo.jpeg); // otherwise the answer comes with a picture
}

/**
 * The answer to a photo, once the photo is shown. Null if nobody waits for it any more, or there is none: the card then
 * says why. `limit` is in bytes.
 * @param {Photo} photo
 * @param {() => Promise<Answerer>} answererFor
 * @param {{ limit: number, signal: AbortSignal }} options
 * @returns {Promise<Answer | null>}
 */
export async function askAbout(photo, answererFor, { limit, signal }) {
  const file = photo.jpeg ?? photo.file;
  if (file.size > limit) return refuse(photo, words.tooLarge(megabytes(file.size), megabytes(limit)));
  if (!(await isReadable(file))) return refuse(photo, words.unreadable);
  const answerer = await answererFor();
  if (signal.aborted) return null;
  photo.card.say(words.looking(photo.name));
  const onProgress = (/** @type {number} */ share) => photo.card.say(words.sending(photo.name, percent(share)));
  const reply = await answerer.answer(file, { original: photo.file, needsPicture: !photo.jpeg, onProgress, signal });
  if (!reply) return null;
  if ("error" in reply) return refuse(photo, reply.error);
  if (reply.picture) {
    photo.jpeg = reply.picture;
    photo.shown = photo.card.show(photo.jpeg);
  }
  await photo.shown; // so an answer never appears beside another photo
  return reply;
}

/** @param {Photo} photo @param {string} sentence */
function refuse(photo, sentence) {
  photo.error = sentence;
  photo.card.refuse(sentence);
  return null;
}

/** @param {Blob} file */
function isReadable(file) {
  return file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
}
