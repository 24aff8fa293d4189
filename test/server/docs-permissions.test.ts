import { expect, test } from "vitest";
import { problemsIn, problemsOf } from "./docs-programs.ts";

test.each(["docs/permissions.md", "docs/tiers.md", "docs/guards.md"])(
  "the TypeScript in %s compiles",
  { timeout: 120_000 },
  (document) => {
    const { blocks, problems } = problemsOf(document);
    expect(problems).toEqual([]);
    expect(blocks).toBeGreaterThan(1);
  },
);

test("with registered names a role that was forgotten, and misspelt ones, do not compile", {
  timeout: 60_000,
}, () => {
  const program = (roles: string, asked: string) => `
    import { createAuth, memory, permission } from "latchkey";
    declare module "latchkey" {
      interface Register { role: "editor" | "reader"; permission: "invoice:read" | "invoice:write" }
    }
    createAuth({ origin: "", secrets: [""], stores: memory(), roles: ${roles} });
    permission("${asked}");`;
  const all = '{ editor: ["invoice:write"], reader: ["invoice:read"] }';
  expect(problemsIn(program(all, "invoice:read"))).toEqual([]);
  expect(problemsIn(program('{ editor: ["invoice:write"] }', "invoice:read"))).toHaveLength(1);
  expect(problemsIn(program(all.replace("write", "wrote"), "invoice:read"))).toHaveLength(1);
  expect(problemsIn(program(all, "invoice:reed"))).toHaveLength(1);
});
