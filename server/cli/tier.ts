import type { Command } from "commander";
import type { TierLimit } from "latchkey";
import { tierJson } from "latchkey/administration";
import { misuse } from "./failure.ts";
import { findUser, userJson } from "./find-user.ts";
import { withAuth } from "./open.ts";
import { tableLines } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface TierOptions {
  readonly limit?: readonly string[];
  readonly json?: true;
}

/** `latchkey tier list | create | set-limits | delete | assign` */
export function tierCommands(program: Command, terminal: Terminal): void {
  const tier = program.command("tier").description("plans, each with limits of its own");
  tier
    .command("list")
    .description("every tier with its limits")
    .option("--json", "for programs")
    .action((options: { json?: true }) => list(terminal, options.json === true));
  const limit = "<path=n/time...>";
  const example = "requests of one user: /api/reports/*=100/1h; s, m, h and d for the time";
  tier
    .command("create")
    .description("make a tier")
    .argument("<name>", "1 to 32 of a-z 0-9 _ -")
    .option(`--limit ${limit}`, example)
    .option("--json", "for programs")
    .action((name: string, options: TierOptions) => create(terminal, name, options));
  tier
    .command("set-limits")
    .description("put other limits in the place of a tier's; without --limit it has none")
    .argument("<name>")
    .option(`--limit ${limit}`, example)
    .option("--json", "for programs")
    .action((name: string, options: TierOptions) => setLimits(terminal, name, options));
  tier
    .command("delete")
    .description("remove a tier that nobody is in")
    .argument("<name>")
    .option("--json", "for programs")
    .action((name: string, options: { json?: true }) => remove(terminal, name, options.json === true));
  tier
    .command("assign")
    .description("put somebody into a tier; without a tier into none")
    .argument("<user>", "e-mail address, username or id")
    .argument("[tier]")
    .option("--json", "for programs")
    .action((typed: string, name: string | undefined, options: { json?: true }) =>
      assign(terminal, typed, name ?? null, options.json === true),
    );
}

async function list(terminal: Terminal, isJson: boolean): Promise<void> {
  await withAuth(terminal, async ({ administration }) => {
    const tiers = await administration.operator.tiers.list();
    if (isJson) return terminal.json({ items: tiers.map(tierJson) });
    if (tiers.length === 0) return terminal.say("There are no tiers.");
    terminal.say(
      ...tableLines(
        ["TIER", "LIMITS"],
        tiers.map((tier) => [tier.name, limitsText(tier.limits)]),
      ),
    );
  });
}

async function create(terminal: Terminal, name: string, { limit, json }: TierOptions): Promise<void> {
  const limits = limitsOf(limit);
  await withAuth(terminal, async ({ administration }) => {
    const tier = await administration.operator.tiers.create({ name, limits });
    if (json === true) return terminal.json({ tier: tierJson(tier) });
    terminal.say(`Made the tier ${tier.name}: ${limitsText(tier.limits)}`);
  });
}

async function setLimits(terminal: Terminal, name: string, { limit, json }: TierOptions): Promise<void> {
  const limits = limitsOf(limit);
  await withAuth(terminal, async ({ administration }) => {
    const tier = await administration.operator.tiers.setLimits(name, limits);
    if (json === true) return terminal.json({ tier: tierJson(tier) });
    terminal.say(`The tier ${tier.name} has now: ${limitsText(tier.limits)}`);
  });
}

async function remove(terminal: Terminal, name: string, isJson: boolean): Promise<void> {
  await withAuth(terminal, async ({ administration }) => {
    await administration.operator.tiers.delete(name);
    if (isJson) return terminal.json({ deleted: name });
    terminal.say(`The tier ${name} is gone.`);
  });
}

async function assign(
  terminal: Terminal,
  typed: string,
  tier: string | null,
  isJson: boolean,
): Promise<void> {
  await withAuth(terminal, async ({ auth, administration }) => {
    const { id } = await findUser(auth, typed);
    const user = await administration.operator.changeRights(id, { tier });
    if (isJson) return terminal.json({ user: userJson(user) });
    terminal.say(`${user.username} is in ${user.tier === null ? "no tier" : `the tier ${user.tier}`}.`);
  });
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

// Whether the numbers can be used is for the flow to say.
function limitsOf(texts: readonly string[] = []): readonly TierLimit[] {
  return texts.map((text) => {
    const match = /^(.+)=(\d{1,9})\/(\d{1,9})([smhd]?)$/.exec(text);
    if (match === null) throw misuse(`--limit ${text} is not written as /path=100/1h.`);
    const [, path = "", limit, count, unit] = match;
    return { path, limit: Number(limit), windowSeconds: Number(count) * (unitSeconds[unit || "s"] ?? 1) };
  });
}

function limitsText(limits: readonly TierLimit[]): string {
  if (limits.length === 0) return "no limits";
  return limits.map(({ path, limit, windowSeconds }) => `${path}=${limit}/${windowSeconds}s`).join(" ");
}
