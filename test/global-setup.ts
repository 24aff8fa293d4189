import type { TestProject } from "vitest/node";
import { unprivilegedAccount } from "./servers/account.ts";
import { keys, type Supplied, supply } from "./servers/catalogue.ts";
import { openGroup, type ServerGroup } from "./servers/server-group.ts";
import { wordsIn } from "./servers/wanted.ts";

/**
 * Provides to the tests the services that the files of this run ask for, and answers what ends them.
 *
 * A server runs once for all tests, on a random port with its data in a temporary directory.
 *
 * @throws Error - a service is missing, and `REQUIRE_SERVICES=1` asks for all of them that any machine can have
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const startedAt = performance.now();
  const wantedBy = wordsIn(filesOf(project), keys);
  const wanted = isWholeRun(project)
    ? new Set<string>(keys)
    : new Set([...wantedBy.values()].flatMap((all) => [...all]));
  let group: ServerGroup | null = null;
  const open = (): ServerGroup => {
    group ??= openGroup("tests", unprivilegedAccount());
    return group;
  };
  const end = async (): Promise<void> => await group?.end();

  const supplied = await supply(wanted, open);
  for (const [key, value] of supplied.flatMap(({ values }) => [...values])) project.provide(key, value);
  const summary = summarize(supplied);
  if (process.env.REQUIRE_SERVICES === "1" && supplied.some(({ missing }) => missing?.isError)) {
    await end();
    throw new Error(summary);
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  if (supplied.length > 0) console.log(`\n${summary} (${seconds} s)`);
  return async () => {
    await end();
    // Said again at the end, where people look.
    if (supplied.length > 0)
      console.log(`\n${summarize(supplied, (lacking) => skippedTests(project, wantedBy, lacking))}`);
  };
}

function filesOf({ vitest }: TestProject): string[] {
  return vitest.state.getPaths();
}

/** While watching, the next run is of other files; and a run whose files are not known is of all. */
function isWholeRun(project: TestProject): boolean {
  return project.vitest.config.watch || filesOf(project).length === 0;
}

function summarize(supplied: readonly Supplied[], count?: (lacking: Supplied) => number): string {
  const lacking = supplied.filter(({ missing }) => missing !== null);
  const found = `services: ${supplied.length - lacking.length} of ${supplied.length} found`;
  if (lacking.length === 0) return found;
  const lines = lacking.map((each) => {
    const tests = count === undefined ? "" : `; ${count(each)} tests skipped in files that ask for it`;
    return `  ${each.name}: ${each.missing?.reason}${tests}`;
  });
  return `${found}; SKIPPED ${lacking.length}, with every test that needs them:\n${lines.join("\n")}`;
}

/** Skipped tests of the files that ask for it; one that lacks two services counts for both. */
function skippedTests(
  project: TestProject,
  wantedBy: ReadonlyMap<string, ReadonlySet<string>>,
  { values }: Supplied,
): number {
  const lost = [...values].flatMap(([key, value]) => (value === null ? [key] : []));
  const modules = project.vitest.state
    .getTestModules()
    .filter(({ moduleId }) => lost.some((key) => wantedBy.get(moduleId)?.has(key)));
  return modules.reduce((sum, { children }) => sum + [...children.allTests("skipped")].length, 0);
}
