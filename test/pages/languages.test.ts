import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { waiting } from "../../server/pages/form.ts";
import { slotsOf } from "../../server/pages/language/fill.ts";
import { languages, standardLocales } from "../../server/pages/language/language.ts";
import { sentences } from "../../server/pages/language/sentences.ts";
import { english } from "../../server/pages/language/words-en.ts";
import { tour } from "./tour.ts";
import type { Page } from "./visitor.ts";

const others = ["de", "es", "ja"] as const;

/** What people see of a page, piece by piece; what is written in another language on purpose, or is code, left out. */
function visible({ text }: Page): readonly string[] {
  const body = /<body>.*<\/body>/s.exec(text)?.[0] ?? "";
  const own = body
    .replace(/<(code|pre|svg)\b.*?<\/\1>/gs, "<i>")
    .replace(/<(button|option)[^>]*\blang="[^"]*"[^>]*>.*?<\/\1>/gs, "<i>");
  const titles = [...own.matchAll(/aria-label="([^"]*)"/g)].map(([, label = ""]) => label);
  const texts = own.replace(/<[^>]*>/g, "\0").split("\0");
  const title = /<title>(.*?)<\/title>/s.exec(text)?.[1] ?? "";
  return [title, ...titles, ...texts].map((each) => each.trim()).filter((each) => /\p{L}/u.test(each));
}

/** What is the same in every language: names, addresses, codes. */
const namesAlone =
  /[\w.]+@[\w.]+|\b[A-Za-z0-9]{16}\b|\b[a-z]+(?:_[a-z]+)+\b|^\w+ · Latchkey$|Latchkey|OpenAPI 3\.1|APP_PATH|RFC 9457|API|HTTP|JSON|UTF-8|CSRF|Cookie|Corp|Ana|ana|bob|boss|cy|Deploy|invoice:read|ID|ExampleBrowser|pt-BR|\ben\b|\/dev\/mail|[\w-]+\.example/g;

/** Words that two languages happen to share, on a page of their own. */
const shared: Readonly<Record<string, readonly string[]>> = {
  de: ["Name", "Code"],
  es: ["Error:"],
  ja: [],
};

function bare(text: string): string {
  return text
    .replace(/&[^;]+;/g, " ")
    .replace(namesAlone, " ")
    .replace(/\d+/g, " ")
    .trim();
}

test("every page is in the reader's language, to the last word", async () => {
  const inEnglish = new Map((await tour("en")).map(({ name, page }) => [name, page]));
  const titles = new Set([...inEnglish.values()].map(({ text }) => /<title>(.*?)</.exec(text)?.[1]));
  expect(inEnglish.size).toBeGreaterThan(100);
  expect(titles.size).toBeGreaterThan(50);
  const leftovers: unknown[] = [];
  for (const locale of others) {
    const seen = await tour(locale);
    expect(seen.map(({ name }) => name)).toEqual([...inEnglish.keys()]);
    for (const { name, page } of seen) {
      const usual = inEnglish.get(name);
      if (usual === undefined || page.status !== usual.status) throw new Error(`${name} is another page`);
      if (!page.text.includes(`<html lang="${locale}">`)) leftovers.push([locale, name, "lang"]);
      if (page.headers.get("content-language") !== locale) leftovers.push([locale, name, "Content-Language"]);
      const before = new Set(visible(usual).map(bare));
      for (const text of visible(page).map(bare)) {
        if (/\{\w+\}/.test(text)) leftovers.push([locale, name, text]);
        const isSame = before.has(text) && /\p{L}{3}/u.test(text) && !shared[locale]?.includes(text);
        const isLatin = locale === "ja" && /[A-Za-z]{2}/.test(text);
        if (isSame || isLatin) leftovers.push([locale, name, text]);
      }
    }
  }
  expect(leftovers).toEqual([]);
}, 60_000);

describe.each(others)("the table of %s", (locale) => {
  const table = languages().of(locale);

  test("has each text with the slots of the English one", async () => {
    const { words } = await table;
    for (const [group, texts] of Object.entries(english)) {
      const own: Readonly<Record<string, unknown>> = words[group as keyof typeof words];
      for (const [key, text] of Object.entries(texts)) {
        const [usual, told] =
          typeof text === "string" ? [text, own[key]] : [text.other, (own[key] as typeof text).other];
        expect([group, key, slotsOf(String(told))]).toEqual([group, key, slotsOf(usual)]);
      }
    }
  });

  test("tells each sentence with its values", async () => {
    const { tell } = await table;
    for (const sentence of sentences) {
      const said = sentence.replace("{count}", "12").replaceAll(/\{\w+\}/g, "Corp & Co");
      const told = tell(said);
      expect(told).not.toBe(said);
      for (const value of ["12", "Corp & Co"])
        expect([said, told.includes(value)]).toEqual([said, said.includes(value)]);
      expect(told).not.toMatch(/\{\w+\}/);
    }
  });

  test("leaves what it does not know as it is", async () => {
    const { tell } = await table;
    for (const strange of ["Your plan has ended.", "", "constructor", "__proto__", "At most \n characters"])
      expect(tell(strange)).toBe(strange);
  });
});

test.each([
  [
    "en",
    "You can try again in a minute.",
    "You can try again in 10 minutes.",
    "You can try again in 3 hours.",
  ],
  [
    "de",
    "Sie können es in einer Minute noch einmal versuchen.",
    "Sie können es in 10 Minuten noch einmal versuchen.",
    "Sie können es in 3 Stunden noch einmal versuchen.",
  ],
  [
    "es",
    "Puede volver a intentarlo dentro de un minuto.",
    "Puede volver a intentarlo dentro de 10 minutos.",
    "Puede volver a intentarlo dentro de 3 horas.",
  ],
  [
    "ja",
    "1 分後にもう一度お試しください。",
    "10 分後にもう一度お試しください。",
    "3 時間後にもう一度お試しください。",
  ],
])("lengths of time are written as in %s", async (locale, ...said) => {
  const language = await languages().of(locale);
  expect([30, 600, 10_800].map((seconds) => waiting(seconds, language))).toEqual(said);
});

test("there are the languages that mails are written in", async () => {
  const { mailLocales } = await import("../../src/mail/locales.ts");
  expect(standardLocales).toEqual(mailLocales);
});

/** Refusals that no page can bring about: they answer programs, or an operator. */
const forPrograms: readonly RegExp[] = [
  /tier|role|ticket|superuser|overlap|resource:action|do not hold|may do more than yours|tokens?\b|API key (has|was)/i,
  /^(?:A mail|a mail|One of|At most \{\}$|Session data|Only the browser|The body (?:is nested|must)|The JSON has)/,
  /^The account (?:is anonymi[sz]ed|has no password)|^The account is \{\}\.$|^no instant$|^Nobody's place|^This needs a password/,
  // Completed with one of the purposes, each of which has a sentence.
  /^(?:Sign in again|Confirm your password) \{\}/,
  /^(?:A time such|A path as|A whole number|Cannot \{\}|Send username|1 to |The API key cannot)/,
];

// Without this a sentence that is written tomorrow would stand in English on a page in Japanese.
test("every sentence that the library refuses with is told in other languages, or is for programs", () => {
  const folders = ["src/flows", "src/api", "src/password", "src/http", "src/guards", "server/pages"];
  const literal = /message(?::|\s*=)\s*(?:"([^"]+)"|`([^`]+)`)/g;
  const known = new Set(sentences.map((each) => each.replace(/\{\w+\}/g, "{}")));
  const strange = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => [...readFileSync(`${folder}/${file}`, "utf8").matchAll(literal)])
      .map(([, plain, template = ""]) => plain ?? template.replace(/\$\{[^}]*\}/g, "{}"))
      .filter((said) => !known.has(said) && !forPrograms.some((each) => each.test(said))),
  );
  expect(strange).toEqual([]);
});
