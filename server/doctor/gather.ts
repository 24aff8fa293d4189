import { existsSync } from "node:fs";
import type { Log } from "latchkey";
import { developmentSecretPath, secretsFromSettings } from "../auth-from-settings.ts";
import { type Environment, readDraft } from "../settings/draft.ts";
import { settle, warningsOf } from "../settings/read-settings.ts";
import type { Settings } from "../settings/settings.ts";
import { databaseFacts } from "./database-facts.ts";
import type { Facts, Looked } from "./facts.ts";
import { machineFacts } from "./machine-facts.ts";
import { serverFacts } from "./server-facts.ts";
import { sessionFacts } from "./session-facts.ts";
import { thisVersion } from "./version.ts";

/** What is looked at, and how. */
export interface GatherOptions {
  /** The server; null: where the settings say. */
  readonly url: string | null;
  readonly log: Log;
  /** Settings that `.env` cuts off. */
  readonly cut: readonly string[];
}

/** Looks at everything that checks are about. Nothing is made or changed, and what does not answer is a fact, too. */
export async function gather(environment: Environment, { url, log, cut }: GatherOptions): Promise<Facts> {
  const draft = readDraft(environment);
  const settings = settle(draft.given);
  const isMeant = (fields: readonly (keyof typeof draft.given)[]): boolean => fields.every(draft.isMeant);
  const unread = { state: "unknown", why: "its address cannot be read" } as const;
  const [machine, database, sessions, server] = await Promise.all([
    machineFacts(settings),
    isMeant(["database"]) ? databaseFacts(settings, log) : unread,
    isMeant([
      "sessionBackend",
      "sessionHost",
      "sessionPort",
      "redisUrl",
      "valkeyUrl",
      "mongodbUrl",
      "memcachedUrl",
    ])
      ? sessionFacts(settings, log)
      : unread,
    isMeant(["origin", "host", "port"])
      ? askServer(settings, url)
      : ({ state: "unknown", why: "its address cannot be read" } as const),
  ]);
  return {
    draft,
    settings,
    warnings: warningsOf(draft, environment),
    cut,
    thisVersion,
    machine: { state: "known", value: machine },
    database,
    sessions,
    server,
  };
}

async function askServer(settings: Settings, url: string | null): Promise<Looked<never> | Facts["server"]> {
  return serverFacts({ settings, url, secret: await secretOf(settings) });
}

// A look must not make the secret that a start would make.
async function secretOf(settings: Settings): Promise<string | null> {
  if (settings.secretKey === null && !existsSync(developmentSecretPath)) return null;
  try {
    return (await secretsFromSettings(settings)).secrets[0];
  } catch {
    return null;
  }
}
