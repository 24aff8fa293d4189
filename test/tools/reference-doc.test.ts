import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorTable } from "../../src/errors.ts";
import { apiDocuments } from "../../tools/api-doc.ts";
import { errorsDocument, eventsDocument } from "../../tools/reference-doc.ts";
import { routesDocument } from "../../tools/routes-doc.ts";

const docs = join(import.meta.dirname, "../../docs");

describe("the generated tables", () => {
  it("docs/errors.md says what src/errors.ts says", () => {
    expect(readFileSync(join(docs, "errors.md"), "utf8")).toBe(errorsDocument());
    for (const { code } of errorTable()) expect(errorsDocument()).toContain(`| \`${code}\` |`);
  });

  it("docs/events.md has a row for every event of the union", () => {
    const source = readFileSync(join(docs, "../src/domain/event.ts"), "utf8");
    const names = [...source.matchAll(/^ {2}"([a-z_]+\.[a-z_]+)":/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(50);
    const document = eventsDocument();
    for (const name of names) expect(document).toContain(`| \`${name}\` |`);
    expect(readFileSync(join(docs, "events.md"), "utf8")).toBe(document);
  });

  it("docs/routes.md has every route of a server that lists every feature", async () => {
    const document = await routesDocument();
    expect(readFileSync(join(docs, "routes.md"), "utf8")).toBe(document);
    const rows = document.match(/^\| `(GET|POST|PUT|PATCH|DELETE) \//gm) ?? [];
    expect(rows.length).toBeGreaterThan(60);
    expect(document).toContain(`The ${rows.length} routes`);
  });

  it("docs/api has every export of every entry of the package, and nothing else", () => {
    const documents = apiDocuments();
    const found = ["api.md", ...globSync("api/*.md", { cwd: docs })].sort();
    expect(found).toEqual([...documents.keys()].sort());
    const stale = found.filter((path) => readFileSync(join(docs, path), "utf8") !== documents.get(path));
    expect(stale, "npm run docs writes them").toEqual([]);
  });

  it("names of every entry are those that importing it gives", async () => {
    const document = apiDocuments().get("api/latchkey.md") ?? "";
    const values = document.slice(0, document.indexOf("## Types"));
    const names = [...values.matchAll(/^### (.+)$/gm)].map(([, name]) => name);
    expect(names.sort()).toEqual(Object.keys(await import("../../src/index.ts")).sort());
  });

  it("every export says what it promises", () => {
    const silent = [...apiDocuments()].flatMap(([path, text]) =>
      [...text.matchAll(/^### (.+)\n\n```typescript$/gm)].map(([, name]) => `${path}: ${name}`),
    );
    expect(silent).toEqual([]);
  });
});
