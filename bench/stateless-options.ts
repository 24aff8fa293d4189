import type { AuthOptions } from "latchkey";

/** What both who starts the sessions and who checks them are made with. */
export const statelessOptions: Pick<AuthOptions, "origin" | "secrets" | "session"> = {
  origin: "http://localhost:3000",
  secrets: ["a secret of the benchmark, 32 bytes and more"],
  session: { mode: "stateless" },
};
