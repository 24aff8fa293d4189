import { type Check, found, type Outcome, ok, skipped } from "./check.ts";
import type { Looked } from "./facts.ts";

/** Whether what the settings name answers at all; the other checks of it have nothing to look at where it does not. */
export const answeringChecks: readonly Check[] = [
  {
    id: "database-answers",
    title: "The database answers",
    severity: "error",
    needs: "database",
    scope: "everywhere",
    check: ({ database }) => answering(database, "See that it runs, and that DATABASE_URL is right."),
  },
  {
    id: "sessions-answer",
    title: "The server of the sessions answers",
    severity: "error",
    needs: "sessions",
    scope: "everywhere",
    check: ({ sessions }) => answering(sessions, "See that it runs, and that its address is right."),
  },
  {
    id: "server-answers",
    title: "The server answers",
    severity: "warning",
    needs: "server",
    scope: "everywhere",
    check: ({ server }) => answering(server, "Start it, or say where it is with --url."),
  },
];

function answering(looked: Looked<unknown>, fix: string): Outcome {
  if (looked.state === "known") return ok;
  return looked.state === "absent" ? skipped(looked.why) : found(looked.why, fix);
}
