import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The folder of the repository. */
export const root: string = join(import.meta.dirname, "../..");

/** Where the files lie that say what the blocks of a page take for granted. */
export const surroundings: string = join(import.meta.dirname, "surroundings");

/** A document's name among the {@link surroundings}: `recipes/step-up` for `docs/recipes/step-up.md`. */
export function pageOf(document: string): string {
  return document
    .replace(/^docs\//, "")
    .replace(/\.md$/, "")
    .toLowerCase();
}

/** Every Markdown file for readers, relative to {@link root}, in order. */
export function documents(): readonly string[] {
  const patterns = ["docs/**/*.md", "*.md", "server/README.md", "deploy/README.md", "examples/*/README.md"];
  const isBuilt = (path: string): boolean => path.split("/").includes("node_modules");
  return globSync(patterns, { cwd: root })
    .filter((path) => !isBuilt(path))
    .sort();
}

/** A fenced block of a document. */
export interface Block {
  readonly document: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  /** The first word after the fence; empty where there is none. */
  readonly language: string;
  /** The second: the name of the file that the block is. */
  readonly name: string | null;
  readonly text: string;
  /** Whether nothing but empty lines stands between the block before and this one. */
  readonly isNext: boolean;
}

/** The fenced blocks of a text, in order. */
export function blocksIn(text: string, document: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; indent: number; info: string; line: number; lines: string[] } | null = null;
  let isNext = false;
  for (const [index, line] of text.split("\n").entries()) {
    if (open === null) {
      const [, indent = "", fence, info = ""] = /^( *)(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
      if (fence !== undefined)
        open = { fence, indent: indent.length, info: info.trim(), line: index + 2, lines: [] };
      else if (line.trim() !== "") isNext = false;
    } else if (line.trim() === open.fence) {
      const [language = "", name = null] = open.info.split(/\s+/);
      blocks.push({ document, line: open.line, language, name, text: `${open.lines.join("\n")}\n`, isNext });
      open = null;
      isNext = true;
    } else open.lines.push(line.slice(open.indent));
  }
  if (open !== null) throw new Error(`${document}:${open.line - 1}: this block does not end`);
  return blocks;
}

/** The fenced blocks of a document of the repository. */
export function blocksOf(document: string): readonly Block[] {
  return blocksIn(readFileSync(join(root, document), "utf8"), document);
}
