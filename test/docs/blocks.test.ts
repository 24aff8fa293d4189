import { describe, expect, test } from "vitest";
import { settingNames } from "../../server/settings/table.ts";
import { isLike, isLikeJson } from "./answers.ts";
import { commandsOf } from "./commands.ts";
import { type Block, blocksIn, blocksOf, documents } from "./documents.ts";

/** Compiled, run, counted; the rest are files of other programs, and what is answered. */
const known = new Set([
  ...["ts", "tsx", "sh", "console"],
  // Declarations, made from sources that are compiled.
  ...["typescript"],
  ...["json", "text", "http", "yaml", "toml", "ini", "nginx", "sql", "html", "css", "dockerfile"],
]);

const blocks = documents().flatMap(blocksOf);
const placeOf = ({ document, line, language }: Block): string => `${document}:${line} ${language}`;

describe("the blocks of the documents", () => {
  test("none is without a language, or in one that hides code from compiler and shell", () => {
    const isDisguised = ({ language, document }: Block): boolean =>
      language === "typescript" && !document.startsWith("docs/api/");
    const odd = blocks.filter((block) => !known.has(block.language) || isDisguised(block));
    expect(odd.map(placeOf)).toEqual([]);
  });

  test("what is JSON can be read as such", () => {
    const broken = blocks.filter(({ language, text }) => language === "json" && !isJson(text));
    expect(broken.map(placeOf)).toEqual([]);
  });

  test("every setting that is shown is one", () => {
    const shown = blocks
      .filter(({ language }) => language === "ini")
      .flatMap((block) =>
        [...block.text.matchAll(/^([A-Z][A-Z_]+)=/gm)].map(([, name]) => [name, placeOf(block)]),
      );
    expect(shown.length).toBeGreaterThan(10);
    const names = new Set(settingNames());
    expect(shown.filter(([name = ""]) => !names.has(name))).toEqual([]);
  });
});

describe("reading a page", () => {
  test("a block has its line, its language, its name, and whether it follows another directly", () => {
    const text =
      "# A\n\n```sh\nls\n```\n\n```text\na\n```\n\nThen:\n\n- so\n\n  ```ts app.ts\n  a();\n    b();\n  ```\n";
    const read = blocksIn(text, "a.md").map(({ line, language, name, text, isNext }) => [
      line,
      language,
      name,
      text,
      isNext,
    ]);
    expect(read).toEqual([
      [4, "sh", null, "ls\n", false],
      [8, "text", null, "a\n", true],
      [16, "ts", "app.ts", "a();\n  b();\n", false],
    ]);
    expect(() => blocksIn("```ts\nnever ended", "a.md")).toThrow("a.md:1");
  });

  test("a command goes on in quotation marks, after a backslash and in a here-document, and ends before the next", () => {
    const text = "# alone\nls 'a\nb' \\\n  -l\ncat <<END\n'x\nEND\n\npwd # 'here\n";
    expect(commandsOf(text, 10).map(({ line, text }) => [line, text])).toEqual([
      [11, "ls 'a\nb' \\\n  -l"],
      [14, "cat <<END\n'x\nEND"],
      [18, "pwd # 'here"],
    ]);
    expect(() => commandsOf("echo 'never ended", 1)).toThrow("does not end");
  });

  test("what a comment at the end says is expected, and a # within a word or a quotation is no comment", () => {
    const said = (text: string): unknown[] => {
      const [command] = commandsOf(text, 1);
      return [command?.status, command?.words];
    };
    expect(said("curl a # 401, a problem")).toEqual([401, null]);
    expect(said("curl a   # → Hello, Ada!")).toEqual([null, "Hello, Ada!"]);
    expect(said("curl a#401 '# 401'")).toEqual([null, null]);
    expect(said("curl a # 4010 of them")).toEqual([null, null]);
  });

  test("… stands for anything, in a text and in JSON, and nothing else does", () => {
    expect(isLike("id: 17, ok\n", "id: …, ok")).toBe(true);
    expect(isLike("id: 17, not ok", "id: …, ok")).toBe(false);
    expect(isLike("a.c", "abc")).toBe(false);
    expect(isLike("abc", "a.c")).toBe(false);
    const printed = { id: "…", name: "Ada", list: [{ at: "2026-…" }] };
    expect(isLikeJson({ id: 3, name: "Ada", list: [{ at: "2026-01-01" }] }, printed)).toBe(true);
    expect(isLikeJson({ id: 3, name: "Bob", list: [{ at: "2026-01-01" }] }, printed)).toBe(false);
    expect(isLikeJson({ id: 3, name: "Ada", list: [] }, printed)).toBe(false);
    expect(isLikeJson({ id: 3, name: "Ada", list: [{ at: "2026-01-01" }], more: 1 }, printed)).toBe(false);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
