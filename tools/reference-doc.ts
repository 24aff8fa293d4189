import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorTable } from "../src/errors.ts";

// Writes docs/errors.md and docs/events.md from the table of errors and the union of events.
const root = join(import.meta.dirname, "..");

/** `docs/errors.md`. */
export function errorsDocument(): string {
  const rows = errorTable().map(({ code, status, message }) => `| \`${code}\` | ${status} | ${message} |`);
  return [
    "# Errors",
    "",
    "Generated from `src/errors.ts` by `npm run docs`. Programs decide on `code`; `detail` is for people and may say more than the sentence here.",
    "",
    "| code | status | sentence |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

/** `docs/events.md`. */
export function eventsDocument(
  source: string = readFileSync(join(root, "src/domain/event.ts"), "utf8"),
): string {
  const union = source.slice(source.indexOf("export interface EventPayloads"));
  const rows = [...union.matchAll(/^ {2}"([a-z_]+\.[a-z_]+)":\s*(.+?);\n(?= {2}["/]|\})/gms)].map(
    ([, name, payload = ""]) => `| \`${name}\` | ${payloadCell(payload)} |`,
  );
  return [
    "# Events",
    "",
    "Generated from `src/domain/event.ts` by `npm run docs`. Every event has `id`, `type`, `createdAt`, `userId`, `sessionId`, `ip`, `userAgent`,",
    "`requestId` and its `payload`. Listeners hear it after the change was committed; its audit row was written in the same transaction.",
    "Refusals (those with `suppressed`) change nothing: their rows follow in the background, at most twenty a minute for one client.",
    "The union is complete: events of parts that this version does not have are listed, and are not emitted.",
    "",
    "```ts",
    'auth.events.on("user.logged_in", ({ userId, createdAt }) => console.log("logged in", userId, createdAt));',
    "```",
    "",
    "| event | payload |",
    "|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function payloadCell(payload: string): string {
  if (payload === "Nothing") return "";
  const line = payload.replace(/\s+/g, " ").replace("; }", " }");
  return `\`${line.replaceAll("readonly ", "").replaceAll("|", "\\|")}\``;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(join(root, "docs/errors.md"), errorsDocument());
  writeFileSync(join(root, "docs/events.md"), eventsDocument());
}
