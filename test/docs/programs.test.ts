import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocksIn, documents, root } from "./documents.ts";
import { lineOf, type Module, modulesOf } from "./programs.ts";

const folder = join(root, ".blocks", `types-${process.pid}`);
// What is not installed here, as far as pages import it.
const ambient = [join(root, "test/docs/surroundings/next.d.ts")];
const compiler = join(root, "node_modules/typescript7/bin/tsc");
const options = {
  extends: "../../tsconfig.base.json",
  compilerOptions: {
    noEmit: true,
    // Pages show pages, too; and a fragment need not use all that it makes.
    lib: ["es2023", "dom", "dom.iterable"],
    jsx: "react-jsx",
    allowImportingTsExtensions: true,
    declaration: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
};

const fence = "```";

/** Pages with mistakes, compiled along with the others. */
const planted: Readonly<Record<string, string>> = {
  "planted.md": `# Mistakes

${fence}ts
const count: number = 1;
const word: string = count;
${fence}

What stood above is known below, and nothing else is.

${fence}ts
const next: number = count + 1;
auth.users.nothing(unheardOf);
${fence}
`,
  // With the names that docs/permissions.md registers.
  "planted-permissions.md": `# Mistakes

${fence}ts
createAuth({ origin, secrets, stores, roles: { editor: ["invoice:write"], reader: [] } });
createAuth({ origin, secrets, stores, roles: { editor: ["invoice:write"] } });
createAuth({ origin, secrets, stores, roles: { editor: ["invoice:wrote"], reader: [] } });
permission("invoice:read");
permission("invoice:reed");
${fence}
`,
};

let modules: readonly Module[] = [];
let complaints: readonly string[] = [];

beforeAll(async () => {
  modules = documents().flatMap((document) => modulesOf(document, folder));
  const mistaken = Object.entries(planted).flatMap(([document, page]) =>
    modulesOf(document, folder, blocksIn(page, document)),
  );
  for (const { path, text } of [...modules, ...mistaken]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  complaints = (await Promise.all(programsFor([...modules, ...mistaken]).map(compile))).flat();
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the TypeScript of the documents", () => {
  test("every block compiles, among what its page has shown before", () => {
    expect(complaints.filter((complaint) => !complaint.startsWith("planted"))).toEqual([]);
    expect(modules.length).toBeGreaterThan(100);
  });

  test("a mistake is found, and told by its line", () => {
    const found = complaints.filter((complaint) => complaint.startsWith("planted.md"));
    expect(linesOf(found)).toEqual(["planted.md:12", "planted.md:12", "planted.md:5"]);
  });

  test("with registered names a role that was forgotten, and misspelt ones, do not compile", () => {
    const found = complaints.filter((complaint) => complaint.startsWith("planted-permissions.md"));
    expect(linesOf(found)).toEqual([
      "planted-permissions.md:5",
      "planted-permissions.md:6",
      "planted-permissions.md:8",
    ]);
  });

  test("no block hides from the compiler", () => {
    const silent = modules.filter(({ text }) =>
      /@ts-(ignore|nocheck|expect-error)|[:<]\s*any\b|\bas any\b(?!\()/.test(text),
    );
    expect(silent.map((module) => lineOf(module, 2))).toEqual([]);
  });
});

function linesOf(found: readonly string[]): readonly string[] {
  return found.map((complaint) => complaint.split(": error")[0] ?? "").sort();
}

/** What a page adds to the types of the package would hold for all the others: such a page is a program by itself. */
function programsFor(all: readonly Module[]): readonly (readonly Module[])[] {
  const alone = new Set(all.filter(({ isAugmenting }) => isAugmenting).map(({ block }) => block.document));
  const homeOf = ({ block: { document } }: Module): string => {
    if (document === "planted-permissions.md") return "docs/permissions.md";
    return alone.has(document) ? document : "";
  };
  return [...new Set(all.map(homeOf))].map((home) => all.filter((module) => homeOf(module) === home));
}

/** What the compiler says of a program, by the lines of the documents. */
async function compile(program: readonly Module[], index: number): Promise<readonly string[]> {
  const config = join(folder, `tsconfig.${index}.json`);
  writeFileSync(
    config,
    JSON.stringify({ ...options, files: [...program.map(({ path }) => path), ...ambient] }),
  );
  const args = [compiler, "-p", config, "--pretty", "false", "--singleThreaded"];
  const child = spawn(process.execPath, args, { cwd: root });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  // What belongs to a complaint is indented.
  return `${output}${errors}`
    .split(/\n(?! |$)/)
    .filter((complaint) => complaint.trim() !== "" && !isOfSources(complaint))
    .map((complaint) => located(complaint, program));
}

/** The sources have a compilation of their own, without what pages add to their types. */
function isOfSources(complaint: string): boolean {
  return complaint.startsWith("src/");
}

function located(complaint: string, program: readonly Module[]): string {
  const [, path = "", line, rest] = /^(.+?)\((\d+),\d+\): (.*)$/s.exec(complaint) ?? [];
  const module = program.find((each) => each.path === join(root, path));
  return module === undefined ? complaint : `${lineOf(module, Number(line))}: ${rest}`;
}
