import type { Command } from "commander";
import { createSigningKeyFile, type SigningKeyInfo } from "latchkey/tokens";
import { signingAlgorithm } from "../tokens-from-settings.ts";
import { CommandFailure, misuse } from "./failure.ts";
import { settingsFor, withAuth } from "./open.ts";
import { minute, tableLines } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** `latchkey signing-key create | list | rotate` */
export function signingKeyCommands(program: Command, terminal: Terminal): void {
  const key = program.command("signing-key").description("keys that access tokens are signed with");
  key
    .command("create")
    .description("make the key file; one that is there stays as it is")
    .action(() => create(terminal));
  key
    .command("list")
    .description("the keys with their times, never the keys themselves")
    .option("--json", "for programs")
    .action((options: { json?: true }) => list(terminal, options.json === true));
  key
    .command("rotate")
    .description("publish a new key, which takes over later; running servers see it by themselves")
    .option("--publish-seconds <seconds>", "how long it is published before it signs (default 900)")
    .option("--json", "for programs")
    .action((options: RotateOptions) => rotate(terminal, options));
}

interface RotateOptions {
  readonly publishSeconds?: string;
  readonly json?: true;
}

async function create(terminal: Terminal): Promise<void> {
  const settings = await settingsFor(terminal);
  const algorithm = signingAlgorithm(settings);
  if (algorithm === null) throw new CommandFailure(noKeys);
  const { tokenKeyFile: path } = settings;
  const isNew = createSigningKeyFile({ path, algorithm });
  terminal.say(isNew ? `Made ${path}. Every server needs the same file.` : `${path} is there already.`);
}

async function list(terminal: Terminal, isJson: boolean): Promise<void> {
  await withAuth(terminal, async ({ tokens }) => {
    const keys = tokens.signingKeys();
    if (isJson) return terminal.json({ items: keys.map(keyJson) });
    if (keys.length === 0) return terminal.say(noKeys);
    const rows = keys.map(({ keyId, algorithm, createdAt, signsFrom, retiresAt }) => [
      ...[keyId, algorithm, minute(createdAt), minute(signsFrom)],
      retiresAt === null ? "-" : minute(retiresAt),
    ]);
    terminal.say(...tableLines(["ID", "FOR", "MADE", "SIGNS FROM", "GONE"], rows));
  });
}

async function rotate(terminal: Terminal, { publishSeconds, json }: RotateOptions): Promise<void> {
  if (publishSeconds !== undefined && !/^\d{1,7}$/.test(publishSeconds)) {
    throw misuse("--publish-seconds is a whole number.");
  }
  await withAuth(terminal, async ({ tokens }) => {
    if (tokens.signingKeys().length === 0) throw new CommandFailure(noKeys);
    const plan = publishSeconds === undefined ? {} : { publishSeconds: Number(publishSeconds) };
    const { keyId, signsFrom, formerRetiresAt } = await tokens.rotateSigningKey(plan);
    if (json === true) {
      const times = { signs_from: signsFrom.toISOString(), former_retires_at: formerRetiresAt.toISOString() };
      return terminal.json({ id: keyId, ...times });
    }
    terminal.say(
      `${keyId} is published, and signs from ${minute(signsFrom)} on.`,
      `The one before goes at ${minute(formerRetiresAt)}, when nothing that it signed is valid any more.`,
    );
  });
}

const noKeys =
  "With TOKEN_ALGORITHM=hs256 tokens are signed with a key of SECRET_KEY. Set es256 or eddsa to have signing keys.";

function keyJson(key: SigningKeyInfo): Readonly<Record<string, unknown>> {
  return {
    id: key.keyId,
    algorithm: key.algorithm,
    created_at: key.createdAt.toISOString(),
    signs_from: key.signsFrom.toISOString(),
    retires_at: key.retiresAt?.toISOString() ?? null,
  };
}
