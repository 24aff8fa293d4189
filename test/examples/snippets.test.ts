import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

/** How many snippets each source document has, and the file whose tests replay them. */
const documents = {
  Z8: { snippets: 18, file: "pages.test.ts" },
  PO: { snippets: 27, file: "service.test.ts" },
  FA: { snippets: 14, file: "saas.test.ts" },
  NX: { snippets: 21, file: "backends.test.ts" },
  T4: { snippets: 38, file: "api.test.ts" },
} as const;

describe("every snippet of the source documents is replayed", () => {
  test.each(Object.entries(documents))("%s", (document, { snippets, file }) => {
    const path = join(import.meta.dirname, file);
    const titles = readdirSync(import.meta.dirname).includes(file) ? titlesOf(path) : [];
    const wanted = Array.from({ length: snippets }, (_, index) => `${document} ${index + 1}`);
    expect(titles.map((title) => / · /.test(title) && title.split(" · ")[0])).toEqual(
      expect.arrayContaining(wanted),
    );
  });

  test("there are 118", () => {
    const counts = Object.values(documents).map(({ snippets }) => snippets);
    expect(counts.reduce((sum, each) => sum + each, 0)).toBe(118);
  });
});

/** Titles of the tests that a file really runs: those of `test.skip`, `test.todo` and the like are not among them. */
function titlesOf(path: string): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && isTest(node.expression.text)) {
      const [title] = node.arguments;
      if (title !== undefined && ts.isStringLiteralLike(title)) titles.push(title.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest));
  return titles;
}

function isTest(name: string): boolean {
  return name === "test" || name === "it";
}
