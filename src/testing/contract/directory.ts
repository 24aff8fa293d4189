import { apiKeyUseRules } from "./api-key-uses.ts";
import { credentialRaces } from "./credential-races.ts";
import { apiKeyRules } from "./directory-api-keys.ts";
import { auditRules } from "./directory-audit.ts";
import { countRaces, countRules } from "./directory-counts.ts";
import { directoryFaults } from "./directory-faults.ts";
import { linkedAccountRules } from "./directory-linked-accounts.ts";
import { listingRules } from "./directory-listing.ts";
import { outboxDurability, outboxFaults, outboxRaces, outboxRules } from "./directory-outbox.ts";
import { directoryRaces } from "./directory-races.ts";
import { refusalRules } from "./directory-refusals.ts";
import { retentionRules } from "./directory-retention.ts";
import { revocationRaces, revocationRules } from "./directory-revocations.ts";
import { sealingDurability, sealingFaults, sealingRaces, sealingRules } from "./directory-sealing.ts";
import { tierRaces, tierRules } from "./directory-tiers.ts";
import { userRules } from "./directory-users.ts";
import { same } from "./same.ts";
import { changes, scene } from "./scene.ts";
import { addUser, refused, write } from "./steps.ts";
import { type ContractCase, cases, type Rules, type StoreHarness } from "./trial.ts";

/**
 * The rules that every `DirectoryStore` keeps: users, passwords, API keys, linked accounts, tiers, the audit log, mail and
 * counts, transactions that are all or none under races and failures, and past a restart where the harness can reopen. Asks for a session store of the same engine.
 */
export function directoryContract(harness: StoreHarness): readonly ContractCase[] {
  return [
    ...cases(harness, "basics", userRules, apiKeyRules, apiKeyUseRules, linkedAccountRules),
    ...cases(harness, "basics", auditRules, refusalRules, revocationRules),
    ...cases(
      harness,
      "basics",
      listingRules,
      tierRules,
      sealingRules,
      retentionRules,
      outboxRules,
      countRules,
    ),
    ...cases(harness, "concurrency", directoryRaces, credentialRaces, revocationRaces),
    ...cases(harness, "concurrency", tierRaces, sealingRaces, outboxRaces, countRaces),
    ...cases(harness, "faults", directoryFaults, sealingFaults, outboxFaults),
    ...(harness.reopen === undefined
      ? []
      : cases(harness, "durability", durability, sealingDurability, outboxDurability)),
  ];
}

const durability: Rules = {
  "what a transaction acknowledged outlives the process, all of it": async (trial) => {
    const set = await scene(trial);
    await changes(trial, set);
    const before = await set.read();
    same(await set.read(await trial.reopen()), before);
  },

  "of a refused transaction nothing outlives the process": async (trial) => {
    const set = await scene(trial);
    const before = await set.read();
    await refused(trial, [...set.writes, { kind: "directory.require_empty" }], "first_user_exists");
    same(await set.read(await trial.reopen()), before);
  },

  "what is unique stays unique after a restart": async (trial) => {
    const user = await addUser(trial);
    const { directory } = await trial.reopen();
    const taken = trial.make.user({ email: user.email });
    same(await directory.commit([write.user(taken)], trial.call()), { ok: false, refused: "email_taken" });
  },
};
