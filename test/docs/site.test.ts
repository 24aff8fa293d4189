import { execFile } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { addressOf, readBook } from "../../docs/site/book.ts";
import { type Followed, follow } from "../../docs/site/links.ts";
import { navigation } from "../../docs/site/navigation.ts";
import { slugs } from "../../docs/site/slug.ts";
import { openChromium } from "../browser/chromium.ts";
import { documents, root } from "./documents.ts";

const chromiumPath = inject("chromiumPath");
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let site = "";
/** The documents of the site by their addresses. */
let pages: ReadonlyMap<string, string> = new Map();

beforeAll(async () => {
  site = await mkdtemp(join(tmpdir(), "latchkey-site-"));
  const build = join(root, "docs/site/build.ts");
  await promisify(execFile)(process.execPath, ["--conditions=latchkey-source", build, site], { cwd: root });
  const addresses = globSync("**/*.html", { cwd: site });
  pages = new Map(addresses.map((address) => [address, readFileSync(join(site, address), "utf8")]));
}, 120_000);

afterAll(() => rm(site, { recursive: true, force: true }));

describe("the navigation", () => {
  test("names every page, once", () => {
    const named = navigation.flatMap((section) => section.pages.map(({ path }) => path)).sort();
    expect(named).toEqual(documents());
  });

  test("leads through all pages, there and back", () => {
    const book = [...readBook(root).values()];
    for (const page of book) {
      expect(page.next?.previous ?? page).toBe(page);
      expect(page.previous?.next ?? page).toBe(page);
    }
    expect(book.filter(({ previous }) => previous === null)).toHaveLength(1);
    expect(book.filter(({ next }) => next === null)).toHaveLength(1);
  });
});

describe("the site", () => {
  test("has a document for every page, and a front page", () => {
    for (const path of [...documents().map(addressOf), "index.html"])
      expect([...pages.keys()]).toContain(path);
  });

  test("every link, script, style and picture is there, and every anchor", () => {
    const lost = [...pages].flatMap(([address, html]) =>
      targetsIn(html)
        .filter((target) => !isThere(target, address))
        .map((target) => `${address}: ${target}`),
    );
    expect(lost).toEqual([]);
  });

  test("nothing comes from elsewhere, and nothing runs or dresses within a page", () => {
    for (const [address, html] of pages) {
      const head = html.slice(0, html.indexOf("</head>"));
      expect(head, address).toContain(
        "default-src &#39;none&#39;; style-src &#39;self&#39;; script-src &#39;self&#39;;",
      );
      const markup = html.replace(/<code>.*?<\/code>/gs, "");
      const elsewhere = /<(script|link|img|iframe|source)\b[^>]*(src|href)="(https?:)?\/\//.exec(markup);
      expect(elsewhere?.[0], address).toBeUndefined();
      expect(/<style|<script(?![^>]*\bsrc=)|\s(style|on\w+)="/.exec(markup)?.[0], address).toBeUndefined();
    }
  });

  test("a document has one first heading, landmarks, a title of its own and an anchor for each heading", () => {
    const titles = new Map(
      [...pages].map(([address, html]) => [/<title>(.*?)<\/title>/.exec(html)?.[1], address]),
    );
    for (const [address, html] of pages) {
      expect(html.match(/<h1\b/g), address).toHaveLength(1);
      for (const mark of [
        '<html lang="en">',
        '<main id="main"',
        'href="#main"',
        "<header",
        "<footer",
        "<nav",
      ])
        expect(html, address).toContain(mark);
      expect(/<h[2-6](?! id="[^"]+">)(?![^>]*><a )/.exec(html)?.[0], address).toBeUndefined();
      // A row of a table that stands by itself.
      expect(html, address).not.toContain("<p>|");
    }
    expect(titles.size).toBe(pages.size);
  });

  test("llms.txt names every page, where it lies as text; llms-full.txt has them all", () => {
    const index = readFileSync(join(site, "llms.txt"), "utf8");
    const full = readFileSync(join(site, "llms-full.txt"), "utf8");
    expect(index).toMatch(/^# Latchkey\n\n> Latchkey is authentication for TypeScript servers/);
    const named = [...index.matchAll(/^- \[[^\]]+\]\(([^)]+)\)/gm)].map(([, path]) => path ?? "");
    expect(named.sort()).toEqual(documents());
    for (const path of named) {
      const text = readFileSync(join(root, path), "utf8");
      expect(readFileSync(join(site, path), "utf8")).toBe(text);
      expect(full).toContain(text.trim());
    }
  });
});

describe("a link", () => {
  const followed = (href: string): Followed => follow(href, "docs/guards.md", { root, book: readBook(root) });
  const faultOf = (href: string): string | undefined => followed(href).fault;

  test("leads to the same place on the site as in the repository", () => {
    const hrefOf = (href: string): string => followed(href).href;
    expect(hrefOf("stores/redis.md#what-holds")).toBe("stores/redis.html#what-holds");
    expect(hrefOf("../SECURITY.md")).toBe("../SECURITY.html");
    expect(hrefOf("../src/pipeline/check.ts")).toBe("../src/pipeline/check.ts.html");
    expect(hrefOf("#owners")).toBe("#owners");
    expect(hrefOf("https://hono.dev")).toBe("https://hono.dev");
  });

  test("to a file that is not there, out of the repository, to a folder or to a page without a place is a fault", () => {
    expect(faultOf("nothing.md")).toContain("leads to nothing");
    expect(faultOf("../../etc/passwd")).toContain("leads to nothing");
    expect(faultOf("../docs")).toContain("leads to nothing");
    expect(faultOf("../node_modules/hono/README.md")).toContain("is not in the navigation");
    expect(faultOf("sessions.md")).toBeUndefined();
  });
});

test("anchors are those of GitHub", () => {
  const slug = slugs();
  expect(slug("What is digested, byte by byte")).toBe("what-is-digested-byte-by-byte");
  expect(slug("`GET /metrics`")).toBe("get-metrics");
  expect(slug("Über uns_und & mehr")).toBe("über-uns_und--mehr");
  expect([slug("Twice"), slug("Twice"), slug("Twice")]).toEqual(["twice", "twice-1", "twice-2"]);
});

describe.skipIf(chromiumPath === null)("in a browser, from a folder", () => {
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const open = (address: string): Promise<unknown> => page.goto(pathToFileURL(join(site, address)).href);

  beforeAll(async () => {
    browser = await openChromium(chromiumPath);
    page = await browser.newPage();
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
  });
  afterAll(() => browser.close());

  test("/ opens the search, which finds headings and texts, and leads to the part of a page", async () => {
    await open("docs/stores/redis.html");
    await page.keyboard.press("/");
    await page.getByRole("searchbox").fill("generation revocation");
    await page.locator("dialog li").first().waitFor();
    await page.getByRole("searchbox").fill("what ends a token");
    const found = page.locator("dialog li a", { hasText: "What ends a token" }).first();
    await found.waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/#what-ends-a-token$/);
    expect(await page.locator("h2#what-ends-a-token").count()).toBe(1);
    await page.keyboard.press("/");
    await page.getByRole("searchbox").fill("no such word as zyzzyva");
    await page.getByText("Nothing found.").waitFor();
    expect(complaints).toEqual([]);
  });

  test.each([
    ["light", "docs/sessions.html", 1_300],
    ["light", "index.html", 380],
    ["dark", "docs/guards.html", 380],
  ] as const)(
    "%s, %s at %i pixels: readable for everybody, and no wider than the window",
    async (colorScheme, address, width) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await open(address);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
      // Past the policy of the page, which lets in no other script.
      const violations =
        await page.evaluate(`(async () => { ${axeSource}; const { violations } = await axe.run();
      return violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).slice(0, 3).join(" ")); })()`);
      expect(violations).toEqual([]);
    },
  );

  test("the widest table scrolls by itself", async () => {
    await page.setViewportSize({ width: 380, height: 800 });
    await open("docs/settings.html");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(380);
  });

  test("where there is no room for the contents, a button calls them up", async () => {
    await page.setViewportSize({ width: 380, height: 800 });
    await open("docs/guards.html");
    const current = page.locator(".contents [aria-current=page]");
    expect(await current.isVisible()).toBe(false);
    await page.getByRole("button", { name: "Contents" }).click();
    expect(await current.textContent()).toBe("Guards");
    expect(await current.isVisible()).toBe(true);
  });
});

/** Where a document's links lead, and what it loads. */
function targetsIn(html: string): readonly string[] {
  return [...html.matchAll(/<(?:a|link|script|img)\b[^>]*?\b(?:href|src)="([^"]*)"/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^(https?|mailto):/.test(target));
}

function isThere(target: string, from: string): boolean {
  const [path = "", anchor = ""] = target.split("#");
  const to = path === "" ? from : normalize(join(dirname(from), path));
  if (anchor === "") return existsSync(join(site, to));
  return pages.get(to)?.includes(` id="${decodeURIComponent(anchor)}"`) ?? false;
}
