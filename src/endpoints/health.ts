import * as z from "zod/mini";
import { AuthError } from "../errors.ts";
import type { Guard } from "../ports/guard.ts";
import type { Route } from "../ports/route.ts";
import { row } from "./row.ts";

const shape = z.object({ status: z.literal("ok") });

/** Whether the process runs, and whether it could serve. */
export function healthRoutes(anyone: Guard, isReady: () => Promise<boolean>): readonly Route[] {
  const base = {
    method: "GET",
    isAtRoot: true,
    guards: [anyone],
    looksAtNobody: true,
    answers: { 200: shape },
  } as const;
  return [
    row({
      ...base,
      path: "/healthz",
      summary: "The process answers",
      handle: async () => ({ status: 200, body: { status: "ok" } }),
    }),
    row({
      ...base,
      path: "/readyz",
      summary: "Every store answers; 503 while one does not or the process is stopping",
      async handle() {
        if (!(await isReady())) throw new AuthError("store_unavailable", { retryAfterSeconds: 1 });
        return { status: 200, body: { status: "ok" } };
      },
    }),
  ];
}
