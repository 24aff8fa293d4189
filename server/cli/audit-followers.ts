import type { Command } from "commander";
import type { AuditFollower } from "latchkey/audit";
import { webhookFollowers } from "../audit-from-settings.ts";
import { confirm } from "./ask.ts";
import { withAudit } from "./audit-log.ts";
import { CommandFailure, misuse } from "./failure.ts";
import { tableLines } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** `latchkey audit followers | forget` */
export function auditFollowerCommands(audit: Command, terminal: Terminal): void {
  audit
    .command("followers")
    .description(
      "who is told of the log, webhooks and programs, and how far each has come: rows are kept until then",
    )
    .option("--json", "for programs")
    .action((options: { json?: true }) => list(terminal, options.json === true));
  audit
    .command("forget")
    .description("forget how far a follower has come that is gone: no row is kept for it any more")
    .argument("<follower>", "its name, as `audit followers` prints it")
    .option("--yes", "do not ask")
    .option("--json", "for programs")
    .action((name: string, options: { yes?: true; json?: true }) => forget(terminal, name, options));
}

async function list(terminal: Terminal, isJson: boolean): Promise<void> {
  await withAudit(terminal, async (log, { settings }) => {
    const followers = await log.followers();
    const configured = webhookFollowers(settings);
    const urlOf = ({ name }: AuditFollower): string | null => configured.get(name) ?? null;
    if (isJson) {
      const items = followers.map((each) => ({
        name: each.name,
        told_seq: each.toldSeq,
        untold: each.untold,
        url: urlOf(each),
      }));
      return terminal.json({ items });
    }
    if (followers.length === 0) return terminal.say("Nobody is told of the audit log.");
    const lines = followers.map((each) => [
      each.name,
      `${each.toldSeq}`,
      `${each.untold}`,
      urlOf(each) ?? "not in WEBHOOKS",
    ]);
    terminal.say(...tableLines(["FOLLOWER", "TOLD UP TO", "NOT TOLD", "WHO"], lines));
  });
}

async function forget(
  terminal: Terminal,
  name: string,
  { yes, json }: { yes?: true; json?: true },
): Promise<void> {
  if (yes !== true && !terminal.isInteractive) throw misuse("--yes is needed where there is nobody to ask.");
  await withAudit(terminal, async (log, { settings }) => {
    const found = (await log.followers()).find((each) => each.name === name);
    if (found === undefined)
      throw new CommandFailure(`There is no follower ${name}. \`latchkey audit followers\` lists them.`);
    if (webhookFollowers(settings).has(name))
      throw new CommandFailure(`${name} is in WEBHOOKS. Take it out there first.`);
    const question = `Forget ${name}? It was not told of ${found.untold} rows, which are not kept for it any more.`;
    if (yes !== true && !(await confirm(question))) throw new CommandFailure("Nothing was changed.");
    await log.forget(name);
    if (json === true) return terminal.json({ forgotten: name, untold: found.untold });
    terminal.say(`${name} is forgotten.`);
  });
}
