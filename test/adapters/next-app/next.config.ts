import type { NextConfig } from "next";

const config: NextConfig = {
  // Compiled file to file, its threads and native parts included: Node loads it, and no bundler reads it.
  serverExternalPackages: ["latchkey"],
  // The test has its own look at the types.
  typescript: { ignoreBuildErrors: true },
  // Kept by nobody: each build would write a hundred megabytes for the next.
  experimental: { turbopackFileSystemCacheForBuild: false },
  turbopack: { root: import.meta.dirname },
};

export default config;
