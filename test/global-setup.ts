import type { TestProject } from "vitest/node";
import { findChromium } from "./services/chromium.ts";

/** What the tests need beside this repository: found or brought before the first test, or skipped by name. */
const SERVICES = [{ key: "chromiumPath", name: "Chromium", find: findChromium }] as const;

declare module "vitest" {
  export interface ProvidedContext {
    /** An executable Chromium, or null: skip, `test.skipIf(inject("chromiumPath") === null)`. */
    chromiumPath: string | null;
  }
}

/**
 * Provides each service's address to the tests and answers the closing summary of what had to be skipped.
 *
 * @throws Error - a service is missing and `REQUIRE_SERVICES=1` asks for all of them
 */
export default function setup(project: TestProject): () => void {
  const missing: string[] = [];
  for (const { key, name, find } of SERVICES) {
    const found = find();
    project.provide(key, found.value);
    if (found.value === null) missing.push(`${name} (${found.reason})`);
  }
  const summary = summarize(missing);
  if (missing.length > 0 && process.env.REQUIRE_SERVICES === "1") throw new Error(summary);
  if (missing.length > 0) console.warn(`\n${summary}`);
  // Said again at the end, where people look.
  return () => console.log(`\n${summary}`);
}

function summarize(missing: readonly string[]): string {
  const found = `services: ${SERVICES.length - missing.length} of ${SERVICES.length} found`;
  if (missing.length === 0) return found;
  return `${found}; SKIPPED ${missing.length}, with every test that needs them: ${missing.join(", ")}`;
}
