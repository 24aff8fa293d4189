import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// `latchkey` leads to src/ in tests, as it does under `node --conditions=latchkey-source`.
const conditions = ["latchkey-source", "module", "node"];

/** Those that take longest begin: one that is left for the end keeps a core busy alone. */
const longest = [
  ...["stores/postgres", "stores/mysql", "server/outages", "adapters/next", "stores/cached-channels"],
  ...["stores/redis-failover", "package/installed", "stores/kill", "server/two-servers", "server/backends"],
  ...["stores/sqlite", "server/serve-process", "server/secret-rotation", "stores/redis"],
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = longest.findIndex((name) => moduleId.includes(`/test/${name}`));
      return place < 0 ? longest.length : place;
    };
    return files.toSorted((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/property-seed.ts", "test/matching.ts"],
    globalSetup: ["test/global-setup.ts"],
    pool: "forks",
    // The files of a process share its modules, which keep no state: loading them anew for each took a third of the time.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    // Hundreds of processes of this repository are started; what one has compiled the next need not.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url)) },
    // Tests wait for servers, timeouts and failovers more than they work. As a number: a share is cut off at all cores.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    // Machines of CI share their cores, and some tests are about time. What passed only when it was run again is named.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: process.env.CI ? ["default", ["json", { outputFile: ".results/vitest.json" }]] : ["default"],
    coverage: { provider: "v8", include: ["src/**/*.ts", "server/**/*.ts"], reportsDirectory: "coverage" },
  },
});
