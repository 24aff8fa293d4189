import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { arrange } from "../arrange.ts";
import { type Asset, asset, type Look, usualLook } from "../assets.ts";
import { standardLocales } from "../language/language.ts";
import { layout } from "../layout.ts";
import { pageNames } from "../page.ts";
import { frameSlots, pageSlots } from "./slots.ts";
import { readTemplate, type Template } from "./template.ts";
import type { Theme } from "./theme.ts";
import { readWordsFile, type TableChange } from "./words-file.ts";

/** A folder of pages that the server does not start with. `message` names every file and what is wrong with it. */
export class ThemeError extends Error {
  override readonly name = "ThemeError";
  readonly problems: readonly string[];

  constructor(folder: string, problems: readonly string[]) {
    super(
      [`The pages in ${folder} (PAGES_PATH) cannot be used:`, ...problems.map((each) => `- ${each}`)].join(
        "\n",
      ),
    );
    this.problems = problems;
  }
}

/** What a folder holds, as far as it was read. */
interface Found {
  readonly words: Map<string, TableChange>;
  readonly templates: Map<string, Template>;
  readonly assets: Map<string, Asset>;
}

const largestFile = 1_048_576;
const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};
const assetNames = ["style.css", "logo.svg", "logo.png", "icon.svg", "icon.png"];

/**
 * Reads what stands in place of the usual pages: `words-<locale>.json`, `style.css`, `logo` and `icon` as `.svg` or `.png`, `layout.html`
 * and `<page>.html`, or `<page>.<locale>.html` for one language. Files of other kinds are left alone.
 *
 * @throws ThemeError with everything that is wrong
 */
export async function readTheme(folder: string): Promise<Theme> {
  const problems: string[] = [];
  const found: Found = { words: new Map(), templates: new Map(), assets: new Map() };
  for (const file of await filesIn(folder, problems)) {
    const told = (problem: string): void => void problems.push(`${file}: ${problem}`);
    const body = await contentOf(join(folder, file), told);
    if (body !== null) take(file, body, found, told);
  }
  problems.push(...unread(found));
  if (problems.length > 0) throw new ThemeError(folder, problems);
  return themeOf(found);
}

/** Templates in a language that nobody is ever shown. */
function unread({ words, templates }: Found): readonly string[] {
  const spoken = new Set<string>([...standardLocales, ...words.keys()]);
  const silent = [...templates.keys()].filter(
    (file) => !spoken.has(file.split(".").at(-2) ?? "") && file.split(".").length > 2,
  );
  return silent.map(
    (file) => `${file}: nobody reads that language here; words-${file.split(".")[1]}.json adds it`,
  );
}

async function filesIn(folder: string, problems: string[]): Promise<readonly string[]> {
  try {
    const kinds = [".json", ".html", ...Object.keys(types)];
    return (await readdir(folder))
      .filter((file) => !file.startsWith(".") && kinds.includes(extname(file)))
      .sort();
  } catch (error) {
    problems.push(`the folder cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`);
    return [];
  }
}

async function contentOf(path: string, told: (problem: string) => void): Promise<Buffer<ArrayBuffer> | null> {
  try {
    const body = await readFile(path);
    if (body.length <= largestFile) return body;
    told(`is larger than ${largestFile} bytes`);
  } catch (error) {
    told(`cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`);
  }
  return null;
}

function take(file: string, body: Buffer<ArrayBuffer>, found: Found, told: (problem: string) => void): void {
  if (assetNames.includes(file)) {
    found.assets.set(file, asset(file, types[extname(file)] ?? "", new Uint8Array(body)));
    return;
  }
  const locale = /^words-(.+)\.json$/.exec(file)?.[1];
  if (locale !== undefined) {
    if (isLocale(locale)) found.words.set(locale, readWordsFile(body.toString("utf8"), told));
    else told(`${locale} is no language tag in its usual spelling, such as fr or pt-BR`);
    return;
  }
  const [, name = "", tag] = /^([a-z-]+)(?:\.([A-Za-z0-9-]+))?\.html$/.exec(file) ?? [];
  const isPage = name === "layout" || pageNames.some((known) => known === name);
  if (!isPage) told(`there is no such page: ${["layout", ...pageNames].join(", ")}`);
  else if (tag !== undefined && !isLocale(tag)) told(`${tag} is no language tag in its usual spelling`);
  else {
    const slots = name === "layout" ? frameSlots : pageSlots;
    found.templates.set(file, readTemplate(body.toString("utf8"), slots, told));
  }
}

function isLocale(tag: string): boolean {
  try {
    return /^[a-z]{2,3}(?:-|$)/.test(tag) && tag.length <= 35 && Intl.getCanonicalLocales(tag)[0] === tag;
  } catch {
    return false;
  }
}

function themeOf({ words, templates, assets }: Found): Theme {
  const templateOf = (name: string, locale: string): Template | undefined =>
    templates.get(`${name}.${locale}.html`) ?? templates.get(`${name}.html`);
  return {
    look: lookOf(assets),
    changed: words,
    arrange(page, { language, appPath, loginPath }) {
      const { locale } = language;
      const template = page.page === null ? undefined : templateOf(page.page, locale);
      if (template === undefined) return arrange(page);
      const { title, heading = title, above, lead, messages, form, aside } = page;
      const values = { title, locale, appPath, loginPath, heading, above, lead, messages, form, aside };
      return template(values, language.words);
    },
    frame(parts, { language }) {
      const template = templateOf("layout", language.locale);
      return template === undefined ? layout(parts) : template({ ...parts }, language.words);
    },
  };
}

function lookOf(assets: Found["assets"]): Look {
  const style = assets.get("style.css");
  const mark = (name: string): Asset | undefined => assets.get(`${name}.svg`) ?? assets.get(`${name}.png`);
  return {
    stylesheets: [...usualLook.stylesheets, ...(style === undefined ? [] : [style])],
    icon: mark("icon") ?? usualLook.icon,
    logo: mark("logo") ?? null,
  };
}
