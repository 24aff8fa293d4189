import { raw } from "hono/html";
import { type Html, html } from "../../server/pages/html.ts";
import { addressOf, type Book, type Page } from "./book.ts";
import { between } from "./links.ts";
import type { Part } from "./markdown.ts";
import { navigation } from "./navigation.ts";

/** A document of the site, from its root: `docs/stores.html`. */
type Address = string;

/** A page of the site, whole. */
export interface Document {
  readonly address: Address;
  readonly title: string;
  readonly description: string;
  /** The page of the book, or null for one outside it: the front page, a file of the sources. */
  readonly page: Page | null;
  readonly main: Html;
}

/** Nothing but what lies beside the page; what is asked for from the network is nothing. Scripts search, and do no more. */
const policy =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'";

/** A whole document, with the navigation around it. */
export function layout(document: Document, book: Book): Promise<string> {
  const { address, title, description, page, main } = document;
  const to = (path: string): string => between(address, path);
  return text(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${page === null && address === "index.html" ? title : `${title} · Latchkey`}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${description === "" ? "" : html`<meta name="description" content="${description}">`}
<link rel="icon" type="image/svg+xml" href="${to("icon.svg")}">
<link rel="stylesheet" href="${to("site.css")}">
<script defer src="${to("site.js")}" data-root="${to("index.html").replace(/index\.html$/, "")}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the text</a>
<header class="top">
<a class="brand" href="${to("index.html")}"><img src="${to("icon.svg")}" alt="" width="32" height="32"><span>Latchkey</span></a>
<button class="search-button" type="button" hidden>Search <kbd>/</kbd></button>
<button class="contents-button" type="button" popovertarget="contents">Contents</button>
</header>
<div class="frame">
${contents(document, book)}
<main id="main" tabindex="-1">${main}</main>
</div>
<footer class="bottom"><p>Latchkey, authentication for TypeScript servers. MIT licensed.</p></footer>
</body>
</html>
`);
}

/** The text of a page of the book, with its neighbours, and a list of its parts beside it. */
export function article(page: Page, content: string, parts: readonly Part[]): Html {
  const own = addressOf(page.path);
  return html`${partsList(parts)}<article>
<p class="section">${page.section.title}</p>
${raw(content)}
</article>
<nav class="neighbours" aria-label="Before and after">
${neighbour(page.previous, own, "prev")}${neighbour(page.next, own, "next")}
</nav>`;
}

/** A text without neighbours. */
export function plainArticle(content: string): Html {
  return html`<article>${raw(content)}</article>`;
}

/** The front page: what it is, the first program, and everything else. */
export function front(introduction: string, book: Book): Html {
  return html`<article class="front">
${raw(introduction)}
<ul class="sections">${navigation.map(
    ({ title, about, pages }) => html`<li>
<h2><a href="${addressOf(pages[0]?.path ?? "")}">${title}</a></h2>
<p>${about}</p>
</li>`,
  )}</ul>
<p class="all">All ${book.size} pages as text, for programs that read: <a href="llms.txt">llms.txt</a>, and <a href="llms-full.txt">in one file</a>.</p>
</article>`;
}

function contents({ address, page }: Document, book: Book): Html {
  return html`<nav id="contents" class="contents" popover aria-label="Contents">
${navigation.map(({ title, pages }) => {
  const isOpen = page === null ? address === "index.html" && title === "Start" : page.section.title === title;
  return html`<details${isOpen ? raw(" open") : ""}>
<summary>${title}</summary>
<ul>${pages.map(({ path }) => html`<li>${entry(path, address, book)}</li>`)}</ul>
</details>`;
})}
</nav>`;
}

function entry(path: string, from: Address, book: Book): Html {
  const to = addressOf(path);
  const title = book.get(path)?.title ?? path;
  return html`<a href="${between(from, to)}"${to === from ? raw(' aria-current="page"') : ""}>${title}</a>`;
}

/** Short pages are seen whole. */
const fewestParts = 3;

function partsList(parts: readonly Part[]): Html {
  const listed = parts.filter(({ level }) => level === 2);
  if (listed.length < fewestParts) return html``;
  return html`<nav class="parts" aria-labelledby="parts">
<p id="parts">On this page</p>
<ul>${listed.map(({ title, anchor }) => html`<li><a href="#${anchor}">${title}</a></li>`)}</ul>
</nav>`;
}

function neighbour(page: Page | null, from: Address, rel: "prev" | "next"): Html {
  if (page === null) return html`<span></span>`;
  const word = rel === "prev" ? "Before" : "Next";
  return html`<a rel="${rel}" href="${between(from, addressOf(page.path))}"><span>${word}</span>${page.title}</a>`;
}

async function text(markup: Html): Promise<string> {
  return String(await markup);
}
