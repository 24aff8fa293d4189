import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { type Reencrypted, secrets } from "latchkey/secrets";
import { withAuth } from "./open.ts";
import { minute } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** `latchkey secret` and `latchkey secret reencrypt` */
export function secretCommands(program: Command, terminal: Terminal): void {
  const secret = program
    .command("secret")
    .description("print 32 random bytes, ready to stand behind SECRET_KEY=")
    .action(() => terminal.say(randomBytes(32).toString("base64url")));
  secret
    .command("reencrypt")
    .description(
      "seal anew, under SECRET_KEY, what lies under SECRET_KEY_PREVIOUS, and say what still needs that",
    )
    .option("--json", "for programs")
    .action((options: { json?: true }) => reencrypt(terminal, options.json === true));
}

async function reencrypt(terminal: Terminal, isJson: boolean): Promise<void> {
  const feature = secrets();
  const { done, formerSecrets } = await withAuth(
    terminal,
    async ({ auth, settings }) => ({
      formerSecrets: settings.previousSecretKeys.length,
      done: await terminal.during((show) =>
        auth.use(feature).reencrypt({ onProgress: (accounts) => show(`${accounts} accounts so far`) }),
      ),
    }),
    { features: [feature] },
  );
  if (isJson) return terminal.json(json(done));
  terminal.say(...lines(done, formerSecrets));
}

function json(done: Reencrypted): Readonly<Record<string, unknown>> {
  const { resealed, remaining, unreadable, sessions, sessionsEndAt } = done;
  return { resealed, remaining, unreadable, sessions, sessions_end_at: sessionsEndAt?.toISOString() ?? null };
}

function lines(done: Reencrypted, formerSecrets: number): readonly string[] {
  const { resealed, remaining, unreadable, sessions, sessionsEndAt } = done;
  const left = remaining + sessions;
  return [
    `Sealed anew: ${resealed}`,
    `Still under a former secret: ${left}`,
    ...(remaining > 0 ? ["  Some were changed at the same moment. Run this again."] : []),
    ...(sessionsEndAt === null
      ? []
      : [
          `  ${sessions} of them are sessions, which end by themselves; the last on ${minute(sessionsEndAt)}.`,
        ]),
    ...(unreadable > 0
      ? [
          `Under a secret that is not configured: ${unreadable}. Put it back into SECRET_KEY_PREVIOUS, and run this again.`,
        ]
      : []),
    ...(left + unreadable === 0 && formerSecrets > 0
      ? [
          "A former secret may be dropped once it has been one for as long as a sign-in lasts: tokens, forms and, with SESSION_STORAGE=stateless, cookies that were handed out need it until then.",
        ]
      : []),
  ];
}
