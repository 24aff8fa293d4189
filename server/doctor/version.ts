import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The version of this program. */
export const thisVersion: string = versionOf(new URL("../package.json", import.meta.url));

// Built, this file is one folder further down.
function versionOf(place: URL): string {
  for (const url of [place, new URL("../../package.json", import.meta.url)]) {
    try {
      const { name, version } = JSON.parse(readFileSync(fileURLToPath(url), "utf8")) as Record<
        string,
        unknown
      >;
      if (name === "latchkey-server" && typeof version === "string") return version;
    } catch {}
  }
  return "unknown";
}
