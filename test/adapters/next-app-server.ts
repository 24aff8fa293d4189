import { readFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { register } from "../../src/adapters/next.ts";
import { nextCases } from "./next-cases.ts";

/** Which case this process is to run. */
export interface Wanted {
  readonly index: number;
}

/** What came of it: null where it went well. */
export interface Ran extends Wanted {
  readonly failure: string | null;
}

// A process of its own: Next's server makes all of it Next's, down to `fetch` and the environment.
const folder = join(import.meta.dirname, "next-app");
let listener: RequestListener | null = null;
const cases = nextCases(() => listener as RequestListener);

register();
const load = createRequire(join(folder, "package.json"));
const app = load("next")({ dev: false, dir: folder, quiet: true });
process.on("message", async ({ index }: Wanted) => {
  const failure = await cases[index]?.run().then(
    () => null,
    (thrown: unknown) => (thrown instanceof Error ? `${thrown.stack}` : String(thrown)),
  );
  process.send?.({ index, failure: failure === undefined ? "no such case" : failure } satisfies Ran);
});
process.on("disconnect", () => process.exit());
await app.prepare();
listener = app.getRequestHandler();
process.send?.(`ready on ${readFileSync(join(folder, ".next/BUILD_ID"), "utf8")}`);
