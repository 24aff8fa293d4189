import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorTable } from "../../src/errors.ts";
import { errorsDocument, eventsDocument } from "../../tools/reference-doc.ts";

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
});
