import { builtinModules } from "node:module";
import { dirname, join } from "node:path/posix";
import { type Import, parseSource, type Source } from "./source.ts";

/** Seen by all, except by each other and by `domain`, which is told what it needs. */
const GROUND = ["errors", "config"] as const;
const MODEL = [...GROUND, "domain", "ports"] as const;
const CRAFTS = ["password", "jwt", "oauth", "webhooks", "mail"] as const;

/**
 * Which parts of `src/` each part may import, itself aside. A part is a folder or, at the top, a file.
 * In one line: domain, ports, (password, jwt, oauth, mail), flows, api, endpoints, features, auth, each seeing those before it.
 */
const MAY_SEE: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  config: ["errors"],
  "thread-file": [],
  domain: ["errors"],
  ports: [...GROUND, "domain"],
  services: MODEL,
  stores: [...MODEL, "thread-file"],
  providers: MODEL,
  guards: MODEL,
  password: [...MODEL, "thread-file"],
  jwt: MODEL,
  webhooks: MODEL,
  oauth: MODEL,
  mail: MODEL,
  http: MODEL,
  strategies: [...MODEL, "http", "jwt"],
  pipeline: [...MODEL, "http"],
  flows: [...MODEL, ...CRAFTS],
  // Binds flows to the request they are for, so it is where flows and the pipeline meet.
  api: [...MODEL, ...CRAFTS, "flows", "http", "pipeline"],
  endpoints: [...MODEL, ...CRAFTS, "flows", "api", "http"],
  features: [...MODEL, ...CRAFTS, "flows", "api", "endpoints", "strategies", "guards", "providers"],
  auth: [
    ...MODEL,
    ...CRAFTS,
    "services",
    "flows",
    "api",
    "endpoints",
    "features",
    "strategies",
    "guards",
    "pipeline",
  ],
  adapters: [...MODEL, "http", "auth"],
  // Its contract suites take a finished `Auth` like any application; its kit makes one.
  testing: [...MODEL, "services", "password", "flows", "api", "features", "stores", "auth"],
  "foreign-hashes": [...MODEL, "password"],
  verify: [...MODEL, "jwt"],
  tokens: [...MODEL, "jwt", "flows", "strategies", "features"],
  // Of what the server says: nothing of it is loaded in a browser.
  client: ["errors", "domain"],
};

/** These take a finished `Auth`: they know its type, and never how it is built. */
const SEES_AUTH_BY_TYPE_ONLY = ["src/adapters/", "src/testing/contract/"];
/** Folders that the other parts of their layer may see, and which see none of them. */
const SHARED = ["src/stores/sql/"];
/** Parts of a layer that see those named before them and no others. What lies right in the layer is before all. */
const IN_ORDER: Readonly<Record<string, readonly string[]>> = {
  flows: [
    ...["mail", "sign-in", "sessions", "api-keys", "account", "tokens", "oauth"],
    ...["administration", "audit", "following", "transfer", "sending"],
  ],
};
/** They answer with values; a `Response` is made of those further out. */
const KNOWS_NO_HTTP = ["domain", "services", "stores", "password", "flows"];
const DRIVERS = /^(pg|postgres|mysql2?|mariadb|redis|ioredis|mongodb|memcached|memjs|better-sqlite3)(\/|$)/;
const ROOT_INDEX = "src/index.ts";
const CODE = /\.(ts|mjs)$/;

/** What the manifests say, as far as the rules ask. */
export interface Packages {
  readonly coreDependencies: readonly string[];
  /** Names by which the core may be imported: `latchkey`, `latchkey/node`, … */
  readonly coreExports: readonly string[];
  readonly serverDependencies: readonly string[];
  /** What the server can use and does not bring along: its optional peers. */
  readonly serverDrivers: readonly string[];
  /** Names by which the server may be imported. */
  readonly serverExports: readonly string[];
  readonly exampleDependencies: readonly string[];
}

export interface Violation {
  readonly rule: string;
  readonly file: string;
  readonly detail: string;
}

interface Edge extends Import {
  readonly from: string;
  /** Path of the file that a relative import names; null for a package. */
  readonly to: string | null;
}

interface Tree {
  readonly sources: ReadonlyMap<string, Source>;
  readonly edges: readonly Edge[];
  /** All files, the ones that are not TypeScript included. */
  readonly paths: ReadonlySet<string>;
  readonly packages: Packages;
}

interface Findings {
  readonly violations: readonly Violation[];
  /** How much was looked at: a gate that reads nothing is green for ever. */
  readonly fileCount: number;
  readonly importCount: number;
}

type Check = (edge: Edge, tree: Tree) => string | null;
type FileCheck = (file: string, source: Source) => string | null;

/** The rules about one import, each answering what is wrong with it or null. */
const IMPORT_RULES: Readonly<Record<string, Check>> = {
  "an import leads to a file of the repository": ({ to }, { paths }) =>
    to === null || paths.has(to) ? null : `${to} does not exist`,

  "a layer sees only the layers below it": ({ from, to }) => {
    const [own, other] = [partOf(from), to === null ? null : partOf(to)];
    if (own === null || other === null || own === other || own === "index") return null;
    return MAY_SEE[own]?.includes(other) ? null : `${own} may not see ${other}`;
  },

  "adapters and contract suites know auth by its type": ({ from, to, isTypeOnly }) => {
    const isRestricted = SEES_AUTH_BY_TYPE_ONLY.some((folder) => from.startsWith(folder));
    return isRestricted && to !== null && partOf(to) === "auth" && !isTypeOnly ? "write `import type`" : null;
  },

  "the client loads nothing but itself": ({ from, to, isTypeOnly }) => {
    if (partOf(from) !== "client" || isTypeOnly) return null;
    return to !== null && partOf(to) === "client" ? null : "write `import type`";
  },

  "parts of one layer do not know each other, or only those before them": ({ from, to }) => {
    if (to === null || partOf(from) === null || partOf(from) !== partOf(to)) return null;
    if (SHARED.some((folder) => to.startsWith(folder))) return null;
    const [own, other] = [subfolderOf(from), subfolderOf(to)];
    const order = IN_ORDER[partOf(from) ?? ""];
    if (order !== undefined)
      return isBefore(order, other, own) ? null : `${own ?? "the layer"}/ may not see ${other}/`;
    return own !== null && other !== null && own !== other ? `${own}/ may not see ${other}/` : null;
  },

  "src names no database driver": ({ from, specifier }) =>
    from.startsWith("src/") && DRIVERS.test(specifier) ? `${specifier} is injected, not imported` : null,

  "src imports only itself, node: and its own dependencies": ({ from, to, specifier }, { packages }) => {
    if (!from.startsWith("src/")) return null;
    if (to !== null) return to.startsWith("src/") ? null : `${to} is outside src`;
    return isNodeModule(specifier) || packages.coreDependencies.includes(packageOf(specifier))
      ? null
      : `${specifier} is no dependency of latchkey`;
  },

  "the server sees only what latchkey exports": ({ from, to, specifier }, { packages }) => {
    if (!from.startsWith("server/")) return null;
    if (to !== null) return to.startsWith("server/") ? null : `${to} is outside server`;
    if (packageOf(specifier) === "latchkey") {
      return packages.coreExports.includes(specifier) ? null : `${specifier} is not exported`;
    }
    const known = [...packages.serverDependencies, ...packages.serverDrivers];
    return isNodeModule(specifier) || known.includes(packageOf(specifier))
      ? null
      : `${specifier} is no dependency of latchkey-server`;
  },

  // What newcomers copy has to work in a project of theirs.
  "examples import only what is public": ({ from, to, specifier }, { packages }) => {
    if (!from.startsWith("examples/")) return null;
    if (to !== null) return isOfExample(from, to) ? null : `${to} is none of this example's files`;
    const name = packageOf(specifier);
    if (name === "latchkey" || name === "latchkey-server") {
      const known = [...packages.coreExports, ...packages.serverExports];
      return known.includes(specifier) ? null : `${specifier} is not exported`;
    }
    return isNodeModule(specifier) || packages.exampleDependencies.includes(name)
      ? null
      : `${specifier} is no dependency of the examples`;
  },

  // A driver that is loaded with the program would have to be installed by everybody.
  "the server loads a driver when it is asked for": (
    { from, specifier, isTypeOnly, isLate },
    { packages },
  ) => {
    if (!from.startsWith("server/") || !packages.serverDrivers.includes(packageOf(specifier))) return null;
    if (!from.startsWith("server/drivers/")) return `${specifier} is for server/drivers/ alone`;
    return isTypeOnly || isLate ? null : `write import("${specifier}")`;
  },
};

/** The rules about one file. */
const FILE_RULES: Readonly<Record<string, FileCheck>> = {
  "every part of src has its row in the table": (file) => {
    const part = partOf(file);
    return part === null || part === "index" || part in MAY_SEE ? null : `no row for ${part}`;
  },

  "only the root has an index.ts": (file) =>
    /(^|\/)index\.ts$/.test(file) && file !== ROOT_INDEX ? "name it for what it holds" : null,

  "the root index only re-exports": (file, source) =>
    file === ROOT_INDEX && source.hasOwnStatements ? "it has statements of its own" : null,

  "what is below HTTP makes no Response": (file, source) =>
    KNOWS_NO_HTTP.includes(partOf(file) ?? "") && source.names.has("Response") ? "it names Response" : null,

  "nothing reads NODE_ENV": (_file, source) => (source.names.has("NODE_ENV") ? "it names NODE_ENV" : null),
};

const CYCLE_RULE = "no file imports itself in a circle";

/** The name of every rule, for the test that shows each one firing. */
export const RULES: readonly string[] = [
  ...Object.keys(IMPORT_RULES),
  ...Object.keys(FILE_RULES),
  CYCLE_RULE,
];

/** Judges files given as path (`src/…`, `server/…`) and text; the text of what is not TypeScript is not read. */
export function inspect(files: ReadonlyMap<string, string>, packages: Packages): Findings {
  const sources = new Map<string, Source>();
  for (const [path, text] of files) if (CODE.test(path)) sources.set(path, parseSource(path, text));
  const edges = [...sources].flatMap(([from, source]) => source.imports.map((one) => edgeOf(from, one)));
  const tree: Tree = { sources, edges, paths: new Set(files.keys()), packages };
  const violations = [...importViolations(tree), ...fileViolations(tree), ...cycles(tree)];
  return { violations, fileCount: sources.size, importCount: edges.length };
}

function importViolations(tree: Tree): Violation[] {
  return tree.edges.flatMap((edge) =>
    Object.entries(IMPORT_RULES).flatMap(([rule, check]) => violation(rule, edge.from, check(edge, tree))),
  );
}

function fileViolations(tree: Tree): Violation[] {
  return [...tree.sources].flatMap(([file, source]) =>
    Object.entries(FILE_RULES).flatMap(([rule, check]) => violation(rule, file, check(file, source))),
  );
}

function violation(rule: string, file: string, detail: string | null): Violation[] {
  return detail === null ? [] : [{ rule, file, detail }];
}

/** Type imports count: two files that cannot be read one after the other are one file in two pieces. */
function cycles({ sources, edges }: Tree): Violation[] {
  const next = new Map<string, string[]>([...sources.keys()].map((file) => [file, []]));
  for (const { from, to } of edges) if (to !== null && sources.has(to)) next.get(from)?.push(to);
  const found: Violation[] = [];
  const done = new Set<string>();
  const walk = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) found.push({ rule: CYCLE_RULE, file, detail: [...trail.slice(start), file].join(" > ") });
    if (start >= 0 || done.has(file)) return;
    for (const target of next.get(file) ?? []) walk(target, [...trail, file]);
    done.add(file);
  };
  for (const file of sources.keys()) walk(file, []);
  return found;
}

function edgeOf(from: string, one: Import): Edge {
  const isRelative = one.specifier.startsWith(".");
  return { ...one, from, to: isRelative ? join(dirname(from), one.specifier) : null };
}

/** `src/flows/login.ts` is of `flows`, `src/auth.ts` of `auth`; what is not in src is of no part. */
function partOf(path: string): string | null {
  const [top, part] = path.split("/");
  return top === "src" && part !== undefined ? part.replace(/\.ts$/, "") : null;
}

/** The runner loads each example; an example sees its own folder, and the contract with the runner. */
function isOfExample(from: string, to: string): boolean {
  const [, own, ...below] = from.split("/");
  if (below.length === 0) return to.startsWith("examples/");
  return to.startsWith(`examples/${own}/`) || to === "examples/example.ts";
}

/** `src/stores/sqlite/schema.ts` is in `sqlite`; a file right in its layer belongs to all of it. */
function subfolderOf(path: string): string | null {
  const segments = path.split("/");
  return segments.length > 3 ? (segments[2] ?? null) : null;
}

/** Whether a part stands before another or is the same; null is the layer itself, before all. */
function isBefore(order: readonly string[], part: string | null, other: string | null): boolean {
  const place = (name: string | null): number => (name === null ? -1 : order.indexOf(name));
  return part === null || (place(part) >= 0 && place(part) <= place(other));
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** By prefix only: `fs` without `node:` could be a package of that name. */
function isNodeModule(specifier: string): boolean {
  const name = specifier.replace(/^node:/, "");
  return (
    specifier.startsWith("node:") && (builtinModules.includes(name) || builtinModules.includes(specifier))
  );
}
