import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Declared, readExports } from "./api-exports.ts";

// Writes docs/api.md and docs/api/: every export of every entry of the package, from the sources themselves.
const root = join(import.meta.dirname, "..");

/** What each entry is for, by its name. */
const purposes: Readonly<Record<string, string>> = {
  latchkey: "`createAuth`, guards, passwords, API keys, SQLite and memory, and the types of everything.",
  "latchkey/administration": "Accounts, rights, tiers and invitations for administrators.",
  "latchkey/audit": "The audit log: sealed, signed, verified, searched.",
  "latchkey/cached": "Stores that answer from memory.",
  "latchkey/client": "The way to a server, from browsers and Node.",
  "latchkey/client/react": "Who is signed in, as hooks.",
  "latchkey/express": "Express 5.",
  "latchkey/fastify": "Fastify 5.",
  "latchkey/file": "Sessions in files.",
  "latchkey/foreign-hashes": "Hashes of other products.",
  "latchkey/hono": "Hono.",
  "latchkey/mail": "Mails: resets, confirmations, links, codes, notices.",
  "latchkey/memcached": "Sessions in Memcached.",
  "latchkey/mongodb": "Sessions in MongoDB.",
  "latchkey/mysql": "All three ports on MySQL and MariaDB.",
  "latchkey/next": "Next.js.",
  "latchkey/node": "`node:http`.",
  "latchkey/oauth": "Sign-in with other accounts.",
  "latchkey/postgres": "All three ports on PostgreSQL.",
  "latchkey/redis": "Sessions in Redis and Valkey.",
  "latchkey/repositories": "Tables of an application's own.",
  "latchkey/secrets": "Secrets: made, judged, replaced.",
  "latchkey/testing": "The kit for tests, and the contract suites.",
  "latchkey/tokens": "Access and refresh tokens, signing keys.",
  "latchkey/transfer": "Import and export of accounts.",
  "latchkey/verify": "Tokens verified elsewhere.",
  "latchkey/webhooks": "Events told to other servers.",
  "latchkey/websocket": "Upgrades to WebSockets.",
  "latchkey-server": "The reference server within a program of one's own.",
};

/** Every file of the reference by its path below `docs/`. */
export function apiDocuments(): ReadonlyMap<string, string> {
  const entries = [...entriesOf("latchkey", "."), ...entriesOf("latchkey-server", "server")];
  const pages = entries.map(({ name, file }) => ({ name, exports: readExports(join(root, file)) }));
  return new Map([
    ["api.md", overview(pages)],
    ...pages.map(({ name, exports }): [string, string] => [pageOf(name), page(name, exports)]),
  ]);
}

interface Entry {
  readonly name: string;
  readonly file: string;
}

/** The entries of a package, by the names by which they are imported. */
function entriesOf(packageName: string, folder: string): readonly Entry[] {
  const manifest: Manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  return Object.entries(manifest.exports).flatMap(([name, target]) =>
    typeof target === "string"
      ? []
      : [{ name: name.replace(/^\./, packageName), file: join(folder, target["latchkey-source"]) }],
  );
}

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly "latchkey-source": string }>>;
}

interface EntryPage {
  readonly name: string;
  readonly exports: readonly Declared[];
}

function overview(pages: readonly EntryPage[]): string {
  const rows = pages.map(({ name, exports }) => {
    const purpose = purposes[name];
    if (purpose === undefined) throw new Error(`tools/api-doc.ts does not say what ${name} is for`);
    return `| [\`${name}\`](${pageOf(name)}) | ${purpose} | ${exports.length} |`;
  });
  return [
    "# API",
    "",
    generated,
    "",
    "Everything that the packages export, by entry. What is not here is not public, and may change at any time.",
    "",
    "| entry | | exports |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

const generated = "<!-- Made by `npm run docs` from the sources. Edit there, not here. -->";

function page(name: string, exports: readonly Declared[]): string {
  const values = exports.filter(({ isType }) => !isType);
  const types = exports.filter(({ isType }) => isType);
  return [
    `# ${name}`,
    "",
    generated,
    "",
    `${purposes[name] ?? ""} [All entries](../api.md).`,
    "",
    ...(values.length === 0 ? [] : ["## Functions and values", "", ...values.map(section)]),
    ...(types.length === 0 ? [] : ["## Types", "", ...types.map(section)]),
  ].join("\n");
}

function section({ name, text, code }: Declared): string {
  return `### ${name}\n\n${text === "" ? "" : `${text}\n\n`}\`\`\`typescript\n${code}\n\`\`\`\n`;
}

function pageOf(name: string): string {
  return `api/${name.replace(/^latchkey\//, "").replaceAll("/", "-")}.md`;
}

if (process.argv[1] === import.meta.filename) {
  const documents = apiDocuments();
  mkdirSync(join(root, "docs/api"), { recursive: true });
  for (const name of readdirSync(join(root, "docs/api")))
    if (!documents.has(`api/${name}`)) rmSync(join(root, "docs/api", name));
  for (const [path, text] of documents) writeFileSync(join(root, "docs", path), text);
}
