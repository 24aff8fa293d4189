import { slugs } from "./slug.ts";

/** What is used of markdown-it, which Eleventy brings. @see https://markdown-it.github.io/markdown-it/ */
export interface MarkdownIt {
  readonly options: {
    html: boolean;
    highlight?: ((text: string, language: string, attributes: string) => string) | null;
  };
  readonly core: { readonly ruler: { push(name: string, rule: (state: State) => void): void } };
  readonly renderer: { readonly rules: Record<string, Rule | undefined> };
  readonly utils: { escapeHtml(text: string): string };
}

type Rule = (tokens: Token[], index: number, options: unknown, env: Env) => string;

interface State {
  readonly tokens: Token[];
  readonly env: Env;
}

/** What Eleventy hands to a page's rendering. */
interface Env {
  /** Path of the file in the repository. */
  readonly source: string;
}

interface Token {
  readonly type: string;
  readonly tag: string;
  readonly content: string;
  readonly info: string;
  readonly children: Token[] | null;
  readonly level: number;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

/** A part of a page, from a heading to the next. */
export interface Part {
  /** 1 to 6. */
  readonly level: number;
  readonly title: string;
  readonly anchor: string;
  /** What stands in it, as plain text. */
  readonly text: string;
}

/** What {@link dressMarkdown} asks and tells about the pages. */
export interface Dressing {
  /** Where a link of a page leads on the site. */
  follow(href: string, from: string): string;
  /** The parts of a page, when it has been read. */
  onParts(path: string, parts: readonly Part[]): void;
}

/** Languages as Prism names them; whatever is not here stays plain. */
const grammars: Readonly<Record<string, string>> = {
  ...{ ts: "typescript", tsx: "tsx", js: "javascript", json: "json", sql: "sql", html: "html", css: "css" },
  ...{ sh: "bash", console: "bash", yaml: "yaml", toml: "toml", ini: "ini", nginx: "nginx", http: "http" },
};

/** Gives Eleventy's Markdown anchors at headings, links of the site, captions at code, and tables that scroll. */
export function dressMarkdown(markdown: MarkdownIt, { follow, onParts }: Dressing): void {
  markdown.options.html = true;
  markdown.core.ruler.push("latchkey_site", ({ tokens, env }) => {
    onParts(env.source, partsOf(tokens));
    for (const link of tokens.flatMap(({ children }) => children ?? [])) {
      const href = link.type === "link_open" ? link.attrGet("href") : null;
      if (href !== null) link.attrSet("href", follow(href, env.source));
    }
  });
  const { rules } = markdown.renderer;
  rules.heading_open = (tokens, index) => {
    const { tag } = at(tokens, index);
    return `<${tag} id="${at(tokens, index).attrGet("id")}">`;
  };
  rules.heading_close = (tokens, index) => {
    const { tag } = at(tokens, index);
    const open = at(tokens, index - 2);
    if (tag === "h1") return "</h1>\n";
    const name = markdown.utils.escapeHtml(textOf(at(tokens, index - 1)));
    return ` <a class="anchor" href="#${open.attrGet("id")}" aria-label="Link to “${name}”">#</a></${tag}>\n`;
  };
  // Where it is wider than the window it scrolls, also by keys.
  rules.table_open = () => '<div class="table" tabindex="0"><table>\n';
  rules.table_close = () => "</table></div>\n";
  rules.th_open = (tokens, index) =>
    // A head without words is none.
    textOf(at(tokens, index + 1)) === "" ? "<td>" : '<th scope="col">';
  rules.th_close = (tokens, index) => (textOf(at(tokens, index - 1)) === "" ? "</td>" : "</th>");
  rules.fence = (tokens, index) => codeOf(markdown, at(tokens, index));
}

/** Code that can be reached and scrolled without a mouse, under the name of its file where it is one. */
function codeOf(markdown: MarkdownIt, { content, info }: Token): string {
  const { escapeHtml } = markdown.utils;
  const [language = "", name] = info.trim().split(/\s+/);
  const grammar = grammars[language];
  const marked = grammar === undefined ? "" : (markdown.options.highlight?.(content, grammar, "") ?? "");
  const code =
    /^<pre[^>]*><code[^>]*>(.*)<\/code><\/pre>$/s.exec(marked)?.[1] ?? escapeHtml(content.trimEnd());
  const caption = name === undefined ? "" : `<figcaption>${escapeHtml(name)}</figcaption>`;
  return `<figure class="code">${caption}<pre tabindex="0"><code>${code}</code></pre></figure>\n`;
}

function partsOf(tokens: readonly Token[]): readonly Part[] {
  const slug = slugs();
  const parts: (Part & { text: string })[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.type === "heading_open") {
      const title = textOf(at(tokens, index + 1));
      const anchor = slug(title);
      token.attrSet("id", anchor);
      parts.push({ level: Number(token.tag.slice(1)), title, anchor, text: "" });
    } else if (token.type === "inline" && at(tokens, index - 1).type !== "heading_open") {
      const part = parts.at(-1);
      if (part !== undefined) part.text += `${textOf(token)} `;
    } else if (token.type === "fence") {
      const part = parts.at(-1);
      if (part !== undefined) part.text += `${token.content} `;
    }
  }
  return parts;
}

function textOf({ children, content }: Token): string {
  if (children === null) return content;
  return children
    .filter(({ type }) => type === "text" || type === "code_inline" || type === "softbreak")
    .map((child) => (child.type === "softbreak" ? " " : child.content))
    .join("");
}

function at(tokens: readonly Token[], index: number): Token {
  const token = tokens[index];
  if (token === undefined) throw new RangeError(`There is no token ${index}`);
  return token;
}
