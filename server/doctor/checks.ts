import { answeringChecks } from "./answering-checks.ts";
import type { Check } from "./check.ts";
import { databaseChecks } from "./database-checks.ts";
import { machineChecks } from "./machine-checks.ts";
import { serverChecks } from "./server-checks.ts";
import { sessionChecks } from "./session-checks.ts";
import { settingsChecks } from "./settings-checks.ts";

/** Every check of the doctor, in the order of its table. */
export const checks: readonly Check[] = [
  ...settingsChecks,
  ...machineChecks,
  ...answeringChecks,
  ...databaseChecks,
  ...sessionChecks,
  ...serverChecks,
];
