import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { describe as inWords, percent, questionOf, titleOf } from "../../foodvision/page/static/describe.js";
import { chooseLanguage, LANGUAGES } from "../../foodvision/page/static/language.js";
import { ENGLISH, translated, words } from "../../foodvision/page/static/words.js";

const FOLDER = new URL("../../foodvision/page/template/static/languages/", import.meta.url);
const TRANSLATIONS = Object.fromEntries(
  await Promise.all(
    LANGUAGES.filter((code) => code !== "en").map(async (code) => [
      code,
      (await import(new URL(`${code}.js`, FOLDER).href)).default,
    ]),
  ),
);
const { dishes: DISHES, refusals: REFUSALS, ...SENTENCES } = ENGLISH;
const FOOD_101 = 101;
const CLASSES = {
  titles: { pizza: "pizza", steak: "steak", sushi: "sushi", other_food: "other food", not_food: "no food" },
  background: { other_food: "This looks like food, but not {foods}.", not_food: "I don't see food here." },
};

/** The words of a language while `look` runs. */
function speaking(code, look) {
  Object.assign(words, ENGLISH, TRANSLATIONS[code]);
  try {
    return look();
  } finally {
    Object.assign(words, ENGLISH);
  }
}

test("the address decides, then the browser, then English", () => {
  assert.equal(chooseLanguage("", ["de-AT", "en"]), "de");
  assert.equal(chooseLanguage("?lang=ja", ["de"]), "ja");
  assert.equal(chooseLanguage("?lang=DE_ch&token=x", []), "de");
  assert.equal(chooseLanguage("?lang=tlh", ["pl", "fr-CA", "de"]), "fr");
  assert.equal(chooseLanguage("", ["pl", "nl"]), "en");
  assert.equal(chooseLanguage("", []), "en");
  assert.equal(chooseLanguage("", ["en-US", "de"]), "en");
});

test("readers of traditional characters get their next language", () => {
  assert.equal(chooseLanguage("", ["zh-TW", "ja"]), "ja");
  assert.equal(chooseLanguage("", ["zh-Hant-HK"]), "en");
  for (const tag of ["zh", "zh-CN", "zh-Hans-SG"]) assert.equal(chooseLanguage("", [tag]), "zh");
});

test("each language has its file, and each file is a language", () => {
  const files = readdirSync(FOLDER).map((name) => name.replace(/\.js$/, ""));
  assert.deepEqual(files.sort(), LANGUAGES.filter((code) => code !== "en").sort());
});

for (const [code, translation] of Object.entries(TRANSLATIONS)) {
  test(`${code} says everything that the page says, and nothing else`, () => {
    assert.deepEqual(Object.keys(translation).sort(), Object.keys(ENGLISH).sort());
    assert.equal(Intl.getCanonicalLocales(translation.language)[0].split("-")[0], code);
  });

  test(`${code} leaves out no value`, () => {
    for (const [key, sentence] of Object.entries(SENTENCES)) {
      const translated = translation[key];
      assert.equal(typeof translated, typeof sentence, key);
      if (typeof sentence === "string") assert.ok(translated.trim(), key);
      else {
        const values = Array.from(sentence, () => "")
          .concat(["@1", "@2", "@3"])
          .slice(0, sentence.length);
        const said = translated(...values);
        for (const value of values) assert.ok(said.includes(value), `${key} leaves out ${value}: ${said}`);
        assert.doesNotMatch(said, /undefined|\$\{|\{\w+\}/, key);
      }
    }
  });

  test(`${code} translates most sentences`, () => {
    const strings = Object.entries(SENTENCES).filter(([, sentence]) => typeof sentence === "string");
    const same = strings.filter(([key, sentence]) => translation[key] === sentence).map(([key]) => key);
    assert.ok(same.length < 4, `still English: ${same}`);
  });

  test(`${code} says why a photo gets no answer, with every value`, () => {
    assert.deepEqual(Object.keys(translation.refusals), Object.keys(TRANSLATIONS.de.refusals));
    for (const [key, sentence] of Object.entries(translation.refusals)) {
      const values = typeof sentence === "string" ? [] : ["@1", "@2"].slice(0, sentence.length);
      const said = speaking(code, () => translated("English.", { code: key, values }));
      assert.notEqual(said, "English.");
      for (const value of values) assert.ok(said.includes(value), `${key} leaves out ${value}: ${said}`);
    }
  });

  test(`${code} names all dishes, each by a name of its own`, () => {
    const names = Object.entries(translation.dishes).filter(([name]) => !["other_food", "not_food"].includes(name));
    assert.equal(names.length, FOOD_101);
    assert.deepEqual(Object.keys(translation.dishes), Object.keys(TRANSLATIONS.de.dishes));
    assert.equal(new Set(names.map(([, title]) => title)).size, FOOD_101);
  });
}

test("answers, lists and numbers follow the language", () => {
  const pizza = { label: "pizza", probability: 0.87, unsure: false, seconds: 0.12 };
  const prediction = { ...pizza, probabilities: { pizza: 0.87, steak: 0.13, sushi: 0, other_food: 0, not_food: 0 } };
  const heading = (code) => speaking(code, () => inWords(prediction, CLASSES).heading);
  assert.equal(heading("ja"), "ピザ");
  assert.equal(heading("zh"), "披萨");
  assert.equal(
    speaking("de", () => questionOf(CLASSES)),
    "Ist es Pizza, Steak oder Sushi?",
  );
  assert.equal(
    speaking("es", () => questionOf(CLASSES)),
    "¿Es pizza, bistec o sushi?",
  );
  assert.equal(
    speaking("ja", () => questionOf(CLASSES)),
    "これはピザ、ステーキ、それとも寿司？",
  );
  assert.match(
    speaking("de", () => percent(0.87)),
    /^87\s%$/,
  );
  assert.match(
    speaking("ar", () => percent(0.87)),
    /^[٨8][٧7]/,
  );
});

test("answers that are joined read as one sentence", () => {
  const refused = {
    label: "other_food",
    probability: 0.9,
    unsure: false,
    probabilities: { other_food: 0.9, pizza: 0.1 },
  };
  const said = (code, classes = CLASSES) =>
    speaking(code, () => [questionOf(classes), inWords(refused, classes).heading]);
  assert.deepEqual(said("es"), ["¿Es pizza, bistec o sushi?", "No es pizza, bistec ni sushi"]);
  assert.deepEqual(said("zh"), ["这是披萨、牛排还是寿司？", "不是披萨、牛排或寿司"]);
  assert.deepEqual(said("ja"), ["これはピザ、ステーキ、それとも寿司？", "ピザ、ステーキ、寿司以外のようです"]);
  assert.deepEqual(said("ar"), ["هل هذه بيتزا أم ستيك أم سوشي؟", "ليس بيتزا ولا ستيك ولا سوشي"]);
  const titles = { pizza: "pizza", other_food: "other food" };
  assert.deepEqual(said("zh", { ...CLASSES, titles }), ["这是披萨吗？", "不是披萨"]);
});

test("a title that the owner chose is not translated", () => {
  const chosen = {
    titles: { steak: "entrecôte", creme_brulee: "Crème brûlée", tabby_cat: "tabby cat" },
    background: {},
  };
  speaking("ja", () => {
    assert.equal(titleOf("steak", chosen), "Entrecôte");
    assert.equal(titleOf("creme_brulee", chosen), "クレームブリュレ");
    assert.equal(titleOf("tabby_cat", chosen), "Tabby cat");
  });
});

test("a refusal without a translation stays as the app said it", () => {
  const sentence = "This file is empty.";
  assert.equal(translated(sentence, { code: "empty" }), sentence);
  const inGerman = (wording) => speaking("de", () => translated(sentence, wording));
  assert.match(inGerman({ code: "empty" }), /^Diese Datei ist leer/);
  for (const wording of [undefined, {}, { code: "new" }, { code: "toString" }])
    assert.equal(inGerman(wording), sentence);
});

test("words that a translation lacks stay English", () => {
  Object.assign(words, ENGLISH, { choose: "Foto auswählen" });
  assert.equal(words.choose, "Foto auswählen");
  assert.equal(words.close, "Close");
  Object.assign(words, ENGLISH);
});
