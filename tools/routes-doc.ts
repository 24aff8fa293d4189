import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  apiKeys,
  createAuth,
  type JsonSchema,
  memory,
  passwords,
  type Route,
  tickets,
  tierLimits,
} from "latchkey";
import { administration } from "latchkey/administration";
import { audit } from "latchkey/audit";
import { mail } from "latchkey/mail";
import { github, oauth } from "latchkey/oauth";
import { tokens } from "latchkey/tokens";

// Writes docs/routes.md from the table of routes of an `Auth` with every feature that brings some.

/** What stands above the routes of a noun, in the order of the page. */
const nouns: Readonly<Record<string, string>> = {
  auth: "Signing in and out",
  users: "Accounts",
  "api-keys": "API keys",
  invitations: "Invitations",
  tiers: "Tiers",
  audit: "Audit log",
  stats: "Counts",
  "": "The server itself",
};

/** `docs/routes.md`. */
export async function routesDocument(): Promise<string> {
  const auth = createAuth({
    origin: "http://localhost:3000",
    secrets: ["a secret that signs nothing but this page"],
    stores: memory(),
    features: [
      passwords(),
      apiKeys(),
      tokens(),
      tickets(),
      tierLimits(),
      administration(),
      audit(),
      mail({ mailer: { send: async () => {} }, from: "Example <no-reply@app.example>" }),
      oauth({ providers: [github({ clientId: "none", clientSecret: "none" })] }),
    ],
  });
  const routes = await auth.routes();
  await auth.close();
  return document(routes);
}

function document(routes: readonly Route[]): string {
  const groups = Object.entries(nouns).map(([noun, title]) => ({
    title,
    routes: routes.filter((route) => nounOf(route) === noun),
  }));
  const count = groups.reduce((sum, group) => sum + group.routes.length, 0);
  return [
    "# Routes",
    "",
    "<!-- Made by `npm run docs` from src/endpoints. Edit there, not here. -->",
    "",
    `The ${count} routes of a server that lists every feature. They lie under \`/api/v1\` (\`basePath\`), with and without a slash at the end; how they are`,
    "spoken to is [another page](http.md), and `GET /api/v1/openapi.json` has every shape. A field with `?` may be left out.",
    "",
    ...groups.filter((group) => group.routes.length > 0).flatMap(section),
  ].join("\n");
}

function nounOf({ path, isAtRoot }: Route): string {
  const first = path.split("/")[1] ?? "";
  return isAtRoot === true || !(first in nouns) ? "" : first;
}

function section({ title, routes }: { readonly title: string; readonly routes: readonly Route[] }): string[] {
  return [
    `## ${title}`,
    "",
    "| route | | who | body | answers |",
    "|---|---|---|---|---|",
    ...routes.map(row),
    "",
  ];
}

function row(route: Route): string {
  const { method, path, summary, limit } = route;
  const often = limit === undefined ? "" : `; ${limit.limit} times in ${span(limit.windowSeconds)}`;
  return `| \`${method} ${path}\` | ${cell(summary)}${often} | ${who(route)} | ${body(route.inputJsonSchema?.())} | ${Object.keys(route.answers).join(", ")} |`;
}

function who({ guards }: Route): string {
  if (guards.every(({ asksAnonymous }) => asksAnonymous)) return "anybody";
  const names = guards.map(({ name }) => name).filter((name) => name !== "signedIn");
  return names.length === 0 ? "signed in" : names.map((name) => `\`${cell(name)}\``).join(", ");
}

function body(schema: JsonSchema | undefined): string {
  if (schema === undefined) return "";
  const names = Object.keys((schema.properties as JsonSchema | undefined) ?? {});
  const required = (schema.required as readonly string[] | undefined) ?? [];
  return names.map((name) => `\`${name}\`${required.includes(name) ? "" : "?"}`).join(", ");
}

function span(seconds: number): string {
  const [unit, size] =
    seconds % 3_600 === 0
      ? (["hour", 3_600] as const)
      : seconds % 60 === 0
        ? (["minute", 60] as const)
        : (["second", 1] as const);
  const count = seconds / size;
  return count === 1 ? `a ${unit}`.replace("a hour", "an hour") : `${count} ${unit}s`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(join(import.meta.dirname, "../docs/routes.md"), await routesDocument());
