import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// `latchkey` leads to src/ in tests, as it does under `node --conditions=latchkey-source`.
const conditions = ["latchkey-source", "module", "node"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/property-seed.ts"],
    globalSetup: ["test/global-setup.ts"],
    pool: "forks",
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
