import { type Audit, bindAudit } from "../api/audit.ts";
import type { Permission } from "../domain/user.ts";
import { sealAudit } from "../flows/audit/seal-audit.ts";
import { repeating } from "../flows/repeating.ts";
import { permission } from "../guards/rights.ts";
import type { Feature } from "./feature.ts";

export type { Audit, Sealing } from "../api/audit.ts";
export type { AuditFault, AuditFaultKind } from "../flows/audit/audit-faults.ts";
export { type AuditFormat, wireAuditRow } from "../flows/audit/export-audit.ts";
export type { AuditPage, AuditSearch } from "../flows/audit/search-audit.ts";
export type { AuditVerification, VerifyOptions } from "../flows/audit/verify-audit.ts";
export type { AuditFollower } from "../flows/following/followers.ts";

/** Settings of {@link audit}. */
export interface AuditOptions {
  /** Seconds between two looks for rows that are to be sealed, at most 3,600; 0 = only when it is asked for. Default 5. */
  readonly sealSeconds?: number;
  /** Seconds between two signed checkpoints where anything happens, 10 to 86,400. Default 900. */
  readonly checkpointSeconds?: number;
  /** For how long rows are kept at least, a day to 100 years. Default null: for ever. */
  readonly retentionSeconds?: number | null;
}

const needed = "audit:read" as Permission;
const daySeconds = 86_400;
const longestSeconds = 36_500 * daySeconds;

/**
 * The audit log, sealed: rows get a position and a digest over all that came before, and their end is signed again and again. A
 * change, a gap or another order is found by `verify`.
 */
export function audit(options: AuditOptions = {}): Feature<Audit> {
  const { sealSeconds = 5, checkpointSeconds = 900, retentionSeconds = null } = options;
  return {
    name: "audit",
    install(services, visits) {
      assertWithin("sealSeconds", sealSeconds, 0, 3_600);
      assertWithin("checkpointSeconds", checkpointSeconds, 10, daySeconds);
      if (retentionSeconds !== null)
        assertWithin("retentionSeconds", retentionSeconds, daySeconds, longestSeconds);
      const log = bindAudit(services, retentionSeconds);
      let isStopping = false;
      const seal = () => sealAudit(services, () => isStopping);
      const sealing = repeating(services, "seal the audit log", { everySeconds: sealSeconds }, seal);
      const keeping = repeating(
        services,
        "sign the audit log",
        { everySeconds: sealSeconds === 0 ? 0 : checkpointSeconds },
        async () => {
          await seal();
          if (isStopping) return;
          await log.seal();
          await log.dropOld();
        },
      );
      // What was left by a process that ended before its time.
      if (sealSeconds > 0) keeping.wake();
      const stopListening = sealSeconds === 0 ? () => {} : services.events.listen(() => sealing.wake());
      return {
        api: log,
        async routes() {
          const { auditRoutes } = await import("../endpoints/audit.ts");
          const mayRead = permission(needed);
          return auditRoutes(log, { mayRead, reading: (visit) => visits.holding(visit, needed) });
        },
        async close() {
          isStopping = true;
          stopListening();
          await Promise.all([sealing.stop(), keeping.stop()]);
        },
      };
    },
  };
}

function assertWithin(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new TypeError(`audit: ${name} is a whole number from ${least} to ${most}`);
}
