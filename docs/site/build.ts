import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { extname, join, relative } from "node:path";
import Eleventy from "@11ty/eleventy";
import highlight from "@11ty/eleventy-plugin-syntaxhighlight";
import { build as bundle } from "esbuild";
import { addressOf, type Book, readBook } from "./book.ts";
import { article, front, layout, plainArticle } from "./layout.ts";
import { filesLinkedFrom, follow, type Link } from "./links.ts";
import { llmsFull, llmsIndex } from "./llms.ts";
import { dressMarkdown, type Part } from "./markdown.ts";
import { searchIndex } from "./search-index.ts";

const root = join(import.meta.dirname, "../..");

/** A file of the repository on its way to the site. */
interface Template {
  /** In the repository, from its root. */
  readonly source: string;
  /** On the site, from its root. */
  readonly address: string;
  readonly markdown: string;
}

/** What is learnt of the pages while they are made. */
interface Findings {
  readonly parts: Map<string, readonly Part[]>;
  readonly links: Link[];
  readonly faults: string[];
}

/** What a build has made. */
export interface Built {
  readonly pages: number;
  readonly links: number;
}

/**
 * Builds the site: every page of the navigation in the place that it has in the repository, the files of the sources that pages link
 * to, a search, and the same as text. It works from a folder, and from any server below any prefix.
 *
 * @param folder - replaced whole
 * @throws Error - a link leads to nothing, or to a page that is not in the navigation
 */
export async function buildSite(folder: string): Promise<Built> {
  const book = readBook(root);
  const templates = [frontTemplate(book), ...(await pageTemplates(book))];
  const findings: Findings = { parts: new Map(), links: [], faults: [] };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await render(templates, book, findings, folder);
  const lost = findings.links.filter(({ to, anchor }) => !isThere(anchor, findings.parts.get(to)));
  const faults = [
    ...findings.faults,
    ...lost.map(({ from, to, anchor }) => `${from}: ${to} has no heading #${anchor}`),
  ];
  if (faults.length > 0) throw new Error(faults.join("\n"));
  await Promise.all([writeAssets(folder), writeTexts(folder, book, findings), bundleScripts(folder)]);
  return { pages: book.size, links: findings.links.length };
}

/** The beginning of the README: what it is, and the first program. */
function frontTemplate(book: Book): Template {
  const readme = book.get("README.md")?.markdown ?? "";
  return { source: frontSource, address: "index.html", markdown: readme.slice(0, readme.indexOf("\n## ")) };
}

/** In the folder of the README, so that its links lead where they lead there. */
const frontSource = "index.md";

async function pageTemplates(book: Book): Promise<readonly Template[]> {
  const pages = [...book.values()].map(({ path, markdown }) => ({
    ...{ source: path, address: addressOf(path), markdown },
  }));
  const linked = new Set(pages.flatMap(({ source, markdown }) => filesLinkedFrom(source, markdown)));
  const files = await Promise.all(
    [...linked].map(async (path) => {
      const code = await readFile(join(root, path), "utf8");
      return {
        source: path,
        address: addressOf(path),
        markdown: `# ${path}\n\n~~~~${extname(path).slice(1)}\n${code}~~~~\n`,
      };
    }),
  );
  return [...pages, ...files];
}

async function render(
  templates: readonly Template[],
  book: Book,
  findings: Findings,
  folder: string,
): Promise<void> {
  const eleventy = new Eleventy(relative(process.cwd(), import.meta.dirname), folder, {
    quietMode: true,
    configPath: null,
    config(config) {
      config.setUseGitIgnore(false);
      config.setTemplateFormats(["md"]);
      config.addPlugin(highlight);
      // Pages are Markdown and nothing else: braces in code are code.
      for (const { source, address, markdown } of templates)
        config.addTemplate(source.endsWith(".md") ? source : `${source}.md`, markdown, {
          source,
          permalink: address,
          templateEngineOverride: "md",
        });
      config.amendLibrary("md", (markdown) =>
        dressMarkdown(markdown, {
          follow(href, from) {
            const followed = follow(href, from, { root, book });
            if (followed.link !== null) findings.links.push(followed.link);
            if (followed.fault !== undefined) findings.faults.push(followed.fault);
            return followed.href;
          },
          onParts: (path, parts) => findings.parts.set(path, parts),
        }),
      );
      config.addTransform("layout", function (content) {
        const address = this.page.url.replace(/^\//, "") || "index.html";
        const template = templates.find((each) => each.address === address);
        if (template === undefined) throw new Error(`Nobody asked for ${address}`);
        return documentOf(template, content, book, findings);
      });
    },
  });
  eleventy.disableLogger();
  await eleventy.write();
}

function documentOf(
  { source, address }: Template,
  content: string,
  book: Book,
  { parts }: Findings,
): Promise<string> {
  const page = book.get(source) ?? null;
  if (page !== null) {
    const main = article(page, content, parts.get(source) ?? []);
    return layout({ address, title: page.title, description: page.description, page, main }, book);
  }
  if (source !== frontSource)
    return layout({ address, title: source, description: "", page, main: plainArticle(content) }, book);
  const description = book.get("README.md")?.description ?? "";
  const main = front(content, book);
  return layout(
    { address, title: "Latchkey: authentication for TypeScript servers", description, page, main },
    book,
  );
}

function isThere(anchor: string, parts: readonly Part[] = []): boolean {
  return anchor === "" || parts.some((part) => part.anchor === anchor);
}

async function writeAssets(folder: string): Promise<void> {
  await copyFile(join(import.meta.dirname, "assets/site.css"), join(folder, "site.css"));
  await copyFile(join(root, "server/pages/assets/icon.svg"), join(folder, "icon.svg"));
}

async function writeTexts(folder: string, book: Book, { parts }: Findings): Promise<void> {
  for (const { path, markdown } of book.values()) await writeFile(join(folder, path), markdown);
  await writeFile(join(folder, "llms.txt"), llmsIndex(book));
  await writeFile(join(folder, "llms-full.txt"), llmsFull(book));
  // A script and no JSON: pages that are opened from a folder may not read files beside them.
  const index = JSON.stringify(searchIndex(book, parts));
  await writeFile(join(folder, "search-index.js"), `globalThis.latchkeySearchIndex = ${index};\n`);
}

async function bundleScripts(folder: string): Promise<void> {
  await bundle({
    entryPoints: ["site.ts", "search.ts"].map((name) => join(import.meta.dirname, "assets", name)),
    outdir: folder,
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    logLevel: "error",
  });
}

if (process.argv[1] === import.meta.filename) {
  const folder = process.argv[2] ?? join(root, ".site");
  try {
    const { pages, links } = await buildSite(folder);
    console.log(`${pages} pages, ${links} links: ${join(folder, "index.html")}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
