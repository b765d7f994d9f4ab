// Which language the page speaks. English is built in; the others are files, of which only the chosen one travels.
import { ownsThePage } from "./element.js";
import { words } from "./words.js";

export const LANGUAGES = ["en", "ar", "de", "es", "fr", "ja", "zh"];
const RIGHT_TO_LEFT = ["ar"];
const TRADITIONAL_CHINESE = /^zh-(hant|tw|hk|mo)\b/i;
const TIMEOUT_MS = 10_000; // on a network that stalls, English now is better than nothing

/**
 * The first of the wanted languages that the page speaks: the one in its address (`?lang=de`), or else the browser's.
 * @param {string} search
 * @param {readonly string[]} preferred
 */
export function chooseLanguage(search, preferred) {
  const asked = new URLSearchParams(search).get("lang");
  const wanted = asked ? [asked, ...preferred] : preferred;
  const codes = wanted.filter((tag) => !TRADITIONAL_CHINESE.test(tag)).map((tag) => tag.toLowerCase().split(/[-_]/)[0]);
  return codes.find((code) => LANGUAGES.includes(code)) ?? "en";
}

/**
 * Makes the page speak the visitor's language, before it is drawn. If the words can't be loaded, it stays English.
 * @param {HTMLElement} el where the page will be drawn
 * @param {string} folder address of the folder `languages`
 */
export async function speak(el, folder) {
  const code = chooseLanguage(location.search, navigator.languages);
  const translation = code === "en" ? null : await translationAt(new URL(`${folder}${code}.js`, document.baseURI).href);
  Object.assign(words, translation);
  const node = ownsThePage() ? document.documentElement : el;
  node.lang = translation ? words.language : "en";
  node.dir = translation && RIGHT_TO_LEFT.includes(code) ? "rtl" : "ltr";
}

/** Where Voilà serves the translations, on its own server or on Jupyter's. */
export function languagesFolder() {
  const config = JSON.parse(document.getElementById("jupyter-config-data")?.textContent || "{}");
  return `${config.baseUrl ?? "/"}voila/templates/foodvision/static/languages/`;
}

/** @param {string} address */
async function translationAt(address) {
  const late = new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS, null));
  const loaded = import(address).then((module) => module.default);
  return Promise.race([loaded, late]).catch(() => null);
}
