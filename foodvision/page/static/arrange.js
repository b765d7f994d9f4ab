// Several photos: which of their cards are shown, and in which order.
import { titleOf } from "./describe.js";
import { element, offer, picker } from "./element.js";
import { words } from "./words.js";

/** @import { Classes, Photo } from "./types" */

const [ALL, DOUBT, NONE, BAD] = ["all", "doubt", "none", "bad"];
const NAMED = "is:"; // followed by the label
const [NEWEST, BY_ANSWER, UNSURE] = ["newest", "answer", "unsure"];

/** @param {() => void} onChange @param {() => Classes} classes */
export function arranger(onChange, classes) {
  const show = picker(words.show, [], onChange);
  const orders = /** @type {[string, string][]} */ ([
    [NEWEST, words.sortNewest],
    [BY_ANSWER, words.sortByAnswer],
    [UNSURE, words.sortUnsure],
  ]);
  const sort = picker(words.sort, orders, onChange);
  return {
    node: element("div", { class: "fv-arrange" }, show.node, sort.node),
    /** Hides the cards that are not asked for; returns all in their order. @param {Photo[]} photos */
    arrange(photos) {
      offer(show.select, groupsOf(photos, classes()));
      const wanted = show.select.value;
      for (const photo of photos) photo.card.node.hidden = wanted !== ALL && wanted !== groupOf(photo);
      return sorted(photos, sort.select.value);
    },
  };
}

/** @param {Photo} photo */
function groupOf({ said, error }) {
  if (error) return BAD;
  if (!said) return "";
  return said.kind === "sure" ? NAMED + said.label : said.kind;
}

/** @param {Photo[]} photos @param {Classes} classes @returns {[string, string][]} */
function groupsOf(photos, classes) {
  const fixed = { [DOUBT]: words.showDoubt, [NONE]: words.showNone, [BAD]: words.showBad };
  const title = (/** @type {string} */ group) => fixed[group] ?? titleOf(group.slice(NAMED.length), classes);
  const groups = [...new Set(photos.map(groupOf))].filter(Boolean).sort(compareGroups);
  const count = (/** @type {string} */ group) => photos.filter((photo) => groupOf(photo) === group).length;
  return [
    [ALL, words.counted(words.showAll, photos.length)],
    ...groups.map((group) => /** @type {[string, string]} */ ([group, words.counted(title(group), count(group))])),
  ];
}

/** @param {Photo[]} photos @param {string} order */
export function sorted(photos, order) {
  if (order === BY_ANSWER) return [...photos].sort((a, b) => compareGroups(groupOf(a), groupOf(b)));
  if (order === UNSURE) return [...photos].sort((a, b) => sureness(a) - sureness(b));
  return photos;
}

// Answers by name, then those that are none.
/** @param {string} a @param {string} b */
function compareGroups(a, b) {
  const place = (/** @type {string} */ group) => [DOUBT, NONE, BAD, ""].indexOf(group);
  return place(a) - place(b) || a.localeCompare(b);
}

/** @param {Photo} photo */
function sureness({ prediction, said }) {
  if (!prediction) return 2;
  return prediction.probability - Number(said?.kind === "doubt");
}
