import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { type Block, blocksOf, pageOf, root, surroundings } from "./documents.ts";
import { type Name, type Names, namesIn } from "./names.ts";

/** A block as a module on its own, with what it takes for granted imported in its first line. */
export interface Module {
  readonly block: Block;
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  readonly isAugmenting: boolean;
}

/** Where a name may come from: a file, and what it has. */
interface Shelf {
  readonly path: string;
  readonly names: ReadonlyMap<string, Name>;
}

const common = join(surroundings, "common.ts");

/** The source of an entry of the packages by the name of its page below `docs/api/`. */
function entrySource(page: string): string {
  const [folder, entry] =
    page === "latchkey-server" ? ["server", "."] : [".", page === "latchkey" ? "." : `./${page}`];
  const { exports } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  const name = Object.keys(exports).find(
    (each) => each === entry || each.replace(/(?<!^\.)\//g, "-") === entry,
  );
  const source = name === undefined ? undefined : exports[name]["latchkey-source"];
  if (source === undefined) throw new Error(`docs/api/${page}.md is about no entry of the packages`);
  return join(root, folder, source);
}

/**
 * The TypeScript of a document as modules below a folder. A name that a block neither declares nor imports is imported from the
 * blocks before it, nearest first; then from `surroundings/<document>.ts`; on a page about an entry of the package from there; then from
 * `surroundings/common.ts`.
 */
export function modulesOf(
  document: string,
  folder: string,
  blocks: readonly Block[] = blocksOf(document),
): readonly Module[] {
  const place = join(folder, document.replace(/\.md$/, ""));
  const shelves: Shelf[] = shelvesOf(document);
  return blocks
    .filter(({ language }) => language === "ts" || language === "tsx")
    .map((block) => {
      const path = join(place, block.name ?? `line-${block.line}.${block.language}`);
      const names = namesIn(block.text, path);
      const text = `${importsOf(names, shelves, path)}${block.text}${exportsOf(names)}`;
      shelves.unshift({ path, names: byName(names.declared) });
      return { block, path, text, isAugmenting: names.isAugmenting };
    });
}

/** What is wrong with a line of a module, as a line of its document. */
export function lineOf({ block }: Module, line: number): string {
  // The first line of a module is its imports.
  return `${block.document}:${block.line + line - 2}`;
}

/** The named blocks of a document as files that can be imported. */
export interface Programs extends Disposable {
  readonly folder: string;
  /** Imports a block by its name: `import("app.ts")`. */
  import<T>(name: string): Promise<T>;
}

/**
 * Writes the named blocks of a document, so that a test drives the code that readers see. They have to import by themselves what
 * they need.
 */
export function programsOf(document: string): Programs {
  // Within the package, so that its name leads to it.
  mkdirSync(join(root, ".blocks"), { recursive: true });
  const folder = mkdtempSync(join(root, ".blocks", "run-"));
  for (const { name, text } of blocksOf(document)) {
    if (name === null) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return {
    folder,
    import: (name) => import(pathToFileURL(join(folder, name)).href),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function shelvesOf(document: string): Shelf[] {
  const own = join(surroundings, `${pageOf(document)}.ts`);
  const entry = /^docs\/api\/(.+)\.md$/.exec(document)?.[1];
  const described = entry === undefined ? [] : [entrySource(entry)];
  return [own, ...described, common].filter((path) => existsSync(path)).map(shelfOf);
}

function shelfOf(path: string): Shelf {
  const { declared, handedOn } = namesIn(readFileSync(path, "utf8"), path);
  const others = handedOn.map((name) => {
    if (name === "latchkey") return shelfOf(entrySource("latchkey")).names;
    if (name.startsWith(".")) return shelfOf(join(dirname(path), name)).names;
    throw new Error(`${path}: names of ${name} are not known here`);
  });
  const exported = byName(declared.filter(({ isExported }) => isExported));
  return { path, names: new Map([...others.flatMap((names) => [...names]), ...exported]) };
}

function byName(names: readonly Name[]): ReadonlyMap<string, Name> {
  return new Map(names.map((name) => [name.name, name]));
}

/** One line, so that the lines below it keep their distance. */
function importsOf({ declared, used }: Names, shelves: readonly Shelf[], from: string): string {
  const own = byName(declared);
  const imports = [...used].flatMap((name) => {
    if (own.has(name)) return [];
    const shelf = shelves.find(({ names }) => names.has(name));
    const found = shelf?.names.get(name);
    if (shelf === undefined || found === undefined) return [];
    const path = relative(dirname(from), shelf.path);
    const specifier = path.startsWith(".") ? path : `./${path}`;
    return [`import { ${found.isType ? "type " : ""}${name} } from ${JSON.stringify(specifier)};`];
  });
  return `${imports.join(" ")}\n`;
}

/** Whatever a block declares is there for those after it. */
function exportsOf({ declared }: Names): string {
  const exported = new Set(declared.filter(({ isExported }) => isExported).map(({ name }) => name));
  const rest = [...byName(declared).values()].filter(({ name }) => !exported.has(name));
  return `export { ${rest.map(({ name, isType }) => `${isType ? "type " : ""}${name}`).join(", ")} };\n`;
}
