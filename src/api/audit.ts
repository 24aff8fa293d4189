import type { AuditCheckpoint } from "../domain/audit.ts";
import { checkpointKeys } from "../flows/audit/checkpoint-keys.ts";
import { dropOldAudit } from "../flows/audit/drop-audit.ts";
import {
  type AuditExport,
  type Exporter,
  type ExportPart,
  exportAudit,
  exportAuditPart,
  operatorExport,
} from "../flows/audit/export-audit.ts";
import { sealAudit } from "../flows/audit/seal-audit.ts";
import { type AuditPage, type AuditSearch, searchAudit } from "../flows/audit/search-audit.ts";
import { checkpoints } from "../flows/audit/sign-audit.ts";
import { type AuditVerification, type VerifyOptions, verifyAudit } from "../flows/audit/verify-audit.ts";
import { type AuditFollower, auditFollowers, forgetFollower } from "../flows/following/followers.ts";
import type { Services } from "../ports/services.ts";

/** What {@link Audit.seal} came to. */
export interface Sealing {
  /** Rows that this call sealed. */
  readonly sealed: number;
  /** What was signed; null where nothing had happened since the last checkpoint, or where the log is not what was signed before. */
  readonly checkpoint: AuditCheckpoint | null;
}

/** The audit log: what operators, routes and the command line do with it. */
export interface Audit {
  /** Seals what is written so far, and signs its end. The background does so by itself. */
  seal(): Promise<Sealing>;
  /** Computes the whole log again; see the flow `verifyAudit`. `publicKeys`: of secrets that were dropped since. */
  verify(options?: VerifyOptions & { readonly publicKeys?: readonly string[] }): Promise<AuditVerification>;
  /** A page of the log, newest first. */
  search(search?: AuditSearch): Promise<AuditPage>;
  /** The log as text, newest first, in pieces; that it was exported is on record in the end. */
  export(wanted: AuditExport): AsyncIterable<ExportPart>;
  /** The first rows of an export in one piece, on behalf of somebody. */
  exportPart(wanted: AuditExport & { readonly mostRows: number }, exporter: Exporter): Promise<ExportPart>;
  /** Drops what is older than the configured retention, up to a checkpoint; returns how many rows. The background does so by itself. */
  dropOld(): Promise<number>;
  /** Everybody for whom rows are kept until they were told of them, by name: webhooks and listeners, of any process. */
  followers(): Promise<readonly AuditFollower[]>;
  /** Forgets how far a follower has come that is gone, by its name in `followers`: nothing is kept for it any more. */
  forget(name: string): Promise<void>;
  /** Ed25519 public keys, base64url, that checkpoints verify under; the first signs. */
  readonly publicKeys: readonly string[];
  /** For how long rows are kept at least, in seconds; null: for ever. */
  readonly retentionSeconds: number | null;
}

/** The audit log of a set-up. */
export function bindAudit(services: Services, retentionSeconds: number | null): Audit {
  const keys = checkpointKeys(services.keys);
  const signing = checkpoints(services, keys, retentionSeconds);
  return {
    async seal() {
      const sealed = await sealAudit(services);
      return { sealed, checkpoint: await signing.sign() };
    },
    async verify({ publicKeys = [], ...options } = {}) {
      const all = publicKeys.length === 0 ? keys : checkpointKeys(services.keys, publicKeys);
      return verifyAudit(services, all, { retentionSeconds, ...options });
    },
    search: (search) => searchAudit(services, search),
    export: (wanted) => exportAudit(services, wanted, operatorExport),
    exportPart: (wanted, exporter) => exportAuditPart(services, wanted, exporter),
    dropOld: async () => (retentionSeconds === null ? 0 : dropOldAudit(services, keys, retentionSeconds)),
    followers: () => auditFollowers(services),
    forget: (name) => forgetFollower(services, name),
    publicKeys: keys.publicKeys,
    retentionSeconds,
  };
}
