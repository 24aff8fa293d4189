import { readFileSync, writeFileSync } from "node:fs";
import { errorTable } from "../src/errors.ts";

// Writes docs/errors.md and docs/events.md from the table of errors and the union of events.
const root = new URL("../", import.meta.url);

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
  source: string = readFileSync(new URL("src/domain/event.ts", root), "utf8"),
): string {
  const rows = [...source.matchAll(/^ {2}"([a-z_]+\.[a-z_]+)": (.+);$/gm)].map(
    ([, name, payload = ""]) => `| \`${name}\` | ${payloadCell(payload)} |`,
  );
  return [
    "# Events",
    "",
    "Generated from `src/domain/event.ts` by `npm run docs`. Every event has `id`, `type`, `createdAt`, `userId`, `sessionId`, `ip`, `userAgent`,",
    "`requestId` and its `payload`. Listeners hear it after the change was committed; its audit row was written in the same transaction.",
    "The union is complete: events of parts that this version does not have are listed, and are not emitted.",
    "",
    "```ts",
    'auth.events.on("user.logged_in", ({ userId, createdAt }) => console.log(`User ${userId} logged in at ${createdAt.toISOString()}`));',
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
  return `\`${payload.replaceAll("readonly ", "").replaceAll("|", "\\|")}\``;
}

if (import.meta.main) {
  writeFileSync(new URL("docs/errors.md", root), errorsDocument());
  writeFileSync(new URL("docs/events.md", root), eventsDocument());
}
