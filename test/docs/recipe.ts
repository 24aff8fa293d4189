import type { Hono } from "hono";
import type { AuthOptions } from "latchkey";
import { onTestFinished } from "vitest";
import { memory } from "../../src/stores/memory.ts";
import { type TestClock, testClock } from "../../src/testing/clock.ts";
import { type Browser, browserOn } from "../support/browser.ts";
import { secret } from "../support/world.ts";
import { programsOf } from "./programs.ts";

/** A program of a recipe's page, as its reader would import it. @param name - default `app.ts` */
export async function programOf<T>(page: string, name = "app.ts"): Promise<T> {
  return pageProgram(`recipes/${page}`, name);
}

/** The same of any page below `docs/`. */
export async function pageProgram<T>(page: string, name = "app.ts"): Promise<T> {
  using programs = programsOf(`docs/${page}.md`);
  return await programs.import<T>(name);
}

/** What every program of a recipe is given: empty stores in memory, and a clock that stands still. */
export interface Settings extends Pick<AuthOptions, "secrets" | "stores" | "log"> {
  readonly origin: string;
  readonly clock: TestClock;
}

/** Settings of their own for one test. */
export function settings(origin = "https://app.example"): Settings {
  const stores = memory();
  onTestFinished(async () => {
    for (const port of [stores.ephemeral, stores.sessions, stores.directory]) await port.close();
  });
  return {
    origin,
    stores,
    secrets: [secret],
    clock: testClock(),
    log: { error: (message, _fields, cause) => console.error(message, cause), warn: () => undefined },
  };
}

/** A browser on a program. */
export function browserOf(
  app: Hono,
  origin: string,
  cookies: readonly (readonly [string, string])[] = [],
): Browser {
  const answer = async (request: Request, { ip }: { readonly ip: string | null }): Promise<Response> =>
    app.fetch(request, { incoming: { socket: { remoteAddress: ip } } });
  return browserOn(answer, origin, cookies);
}

/** Somebody new, signed in by the route of their program. */
export async function registered(browser: Browser, email = "ana@example.com"): Promise<Browser> {
  const { status, text } = await browser.post("/api/v1/auth/register", { email, password });
  if (status !== 201) throw new Error(`registering answered ${status}: ${text}`);
  return browser;
}

/** What everybody chooses. */
export const password = "correct horse battery staple";
