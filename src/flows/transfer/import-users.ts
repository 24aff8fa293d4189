import { noOrigin } from "../../domain/event.ts";
import type { PasswordServices } from "../../ports/services.ts";
import { assertCommitted } from "../refusals.ts";
import type { ImportRights } from "./fitting.ts";
import { type ImportedIds, importedIds } from "./import-account.ts";
import { judge, noteAbout, obstacleOf, reasonOf, type Wanted, write } from "./import-batch.ts";
import { type Claims, importClaims, type Obstacle } from "./import-claims.ts";
import type { ImportItem, ImportNote } from "./import-record.ts";

/** How {@link importUsers} goes about it. */
export interface ImportOptions extends ImportRights {
  /** Which product the accounts come from, 1 to 32 of `a-z 0-9 -`: accounts of one product are told from another's by it. */
  readonly source: string;
  /** Writes nothing, and tells what would become of each row. Default false. */
  readonly isDryRun?: boolean;
  /** What becomes of the rest where a row cannot be imported: `skip` goes on (default), `fail` stops before it. */
  readonly onConflict?: "skip" | "fail";
  /** Accounts of one transaction, 1 to 1,000; default 100: quick, and a running server on SQLite hardly waits for it. */
  readonly batchSize?: number;
  /** Told of every row that was not imported, or not whole; the import waits for it. */
  readonly onNote?: (note: ImportNote) => void | Promise<void>;
  /** Told the counts after each batch. */
  readonly onProgress?: (soFar: ImportCounts) => void;
}

/** What became of the rows so far. */
export interface ImportCounts {
  /** Accounts that this run brought; in a dry run, that it would bring. */
  readonly imported: number;
  /** Accounts that an earlier run had brought: nothing was changed about them. */
  readonly present: number;
  readonly refused: number;
  /** Of those imported: they have no password and need a link, or an account at a provider. */
  readonly withoutPassword: number;
}

/** What became of an import. */
export interface Imported extends ImportCounts {
  /** With `onConflict: "fail"` the row that it stopped at; null where it came to the end. */
  readonly stoppedAt: ImportNote | null;
}

/**
 * Brings accounts in, batch by batch, each batch one transaction with the event of every account.
 *
 * May be ended at any instant and run again with the same records: an account is known by an id that is made of its record, so
 * nothing is brought twice and nothing is left out, and what its owner has changed since stays. Asks no policy and sends no mail:
 * these people have accounts already.
 *
 * @throws AuthError `store_unavailable` - what was committed stays; run it again
 * @throws TypeError for a source or a size of batches that cannot be one
 */
export async function importUsers(
  services: PasswordServices,
  items: AsyncIterable<ImportItem> | Iterable<ImportItem>,
  options: ImportOptions,
): Promise<Imported> {
  const { source, batchSize = 100 } = options;
  if (!/^[a-z0-9-]{1,32}$/.test(source)) throw new TypeError("source: 1 to 32 of a-z 0-9 -");
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > 1000) {
    throw new TypeError(`batchSize: a whole number from 1 to 1000, not ${batchSize}`);
  }
  const tiers = await services.stores.directory.tiers(services.call());
  const run: Run = {
    ...{ services, options, claims: importClaims() },
    idsOf: importedIds(services, source),
    tiers: new Set(tiers.map(({ name }) => name)),
    counts: { imported: 0, present: 0, refused: 0, withoutPassword: 0 },
  };
  for await (const batch of batches(items, batchSize)) {
    const stoppedAt = await takeBatch(run, batch);
    if (stoppedAt !== null) return { ...run.counts, stoppedAt };
  }
  if (options.isDryRun !== true) await noteImport(run);
  return { ...run.counts, stoppedAt: null };
}

/** One import while it goes on. */
interface Run {
  readonly services: PasswordServices;
  readonly options: ImportOptions;
  readonly claims: Claims;
  readonly idsOf: ImportedIds;
  /** Names of the plans that there are. */
  readonly tiers: Set<string>;
  readonly counts: { -readonly [Count in keyof ImportCounts]: number };
}

async function* batches(items: AsyncIterable<ImportItem> | Iterable<ImportItem>, batchSize: number) {
  let batch: ImportItem[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

/** The note of the row that the import stops at, or null. */
async function takeBatch(run: Run, batch: readonly ImportItem[]): Promise<ImportNote | null> {
  const { options, claims } = run;
  const ready: Wanted[] = [];
  let stoppedAt: ImportNote | null = null;
  for (const look of await Promise.all(batch.map((item) => lookAt(run, item)))) {
    if (look === null) continue;
    if ("note" in look) stoppedAt = await refuse(run, look.note);
    else {
      const obstacle = look.obstacle ?? claims.take(look.wanted.account, look.wanted.knownAs);
      if (obstacle === null) ready.push(look.wanted);
      else stoppedAt = await hinder(run, look.wanted, obstacle);
    }
    if (stoppedAt !== null) break;
  }
  const raced = await bring(run, ready);
  // From now on the directory shows them.
  if (options.isDryRun !== true) claims.forget();
  options.onProgress?.({ ...run.counts });
  return raced ?? stoppedAt;
}

type Looked = { readonly note: ImportNote } | { readonly wanted: Wanted; readonly obstacle: Obstacle | null };

async function lookAt(run: Run, item: ImportItem): Promise<Looked | null> {
  const { services, options, tiers, idsOf } = run;
  if ("tier" in item) {
    await bringTier(run, item);
    return null;
  }
  const judged = judge(services, item, idsOf, options);
  if (judged.kind === "refused") return { note: judged.note };
  return { wanted: judged.wanted, obstacle: await obstacleOf(services, judged.wanted, tiers) };
}

async function bringTier(
  { services, options, tiers }: Run,
  { tier }: Extract<ImportItem, { tier: unknown }>,
) {
  if (options.allowsRoles !== true || tiers.has(tier.name)) return;
  tiers.add(tier.name);
  // Refused where somebody else made one of this name meanwhile, which is as good.
  if (options.isDryRun !== true) await services.commit([{ kind: "tier.insert", tier }]);
}

/** Writes accounts that nothing stood in the way of; where somebody was faster, each by itself. */
async function bring(run: Run, ready: readonly Wanted[]): Promise<ImportNote | null> {
  const { services, options, tiers } = run;
  if (ready.length === 0) return null;
  const isWhole =
    options.isDryRun === true ||
    (await write(
      services,
      ready.map(({ account }) => account),
    )) === null;
  for (const wanted of ready) {
    const refused = isWhole ? null : await write(services, [wanted.account]);
    if (refused === null) await welcome(run, wanted);
    else {
      const obstacle = (await obstacleOf(services, wanted, tiers)) ?? reasonOf(refused);
      const stoppedAt = await hinder(run, wanted, obstacle);
      if (stoppedAt !== null) return stoppedAt;
    }
  }
  return null;
}

async function welcome({ counts, options }: Run, wanted: Wanted): Promise<void> {
  counts.imported += 1;
  if (wanted.account.password === null) counts.withoutPassword += 1;
  for (const dropped of wanted.dropped) await options.onNote?.(noteAbout(wanted, dropped, true));
}

async function hinder(run: Run, wanted: Wanted, obstacle: Obstacle): Promise<ImportNote | null> {
  if (obstacle !== "present")
    return refuse(run, noteAbout(wanted, { reason: obstacle, detail: null }, false));
  run.counts.present += 1;
  return null;
}

async function refuse({ counts, options }: Run, note: ImportNote): Promise<ImportNote | null> {
  counts.refused += 1;
  await options.onNote?.(note);
  return options.onConflict === "fail" ? note : null;
}

async function noteImport({ services, options, counts }: Run): Promise<void> {
  const { imported, present, refused } = counts;
  const payload = { source: options.source, imported, present, refused };
  const event = { type: "import.finished" as const, userId: null, sessionId: null, payload };
  assertCommitted(
    await services.commit([{ kind: "audit.insert", row: services.events.row(event, noOrigin) }]),
  );
}
