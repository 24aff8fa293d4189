import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { settingsDocument } from "../server/settings/document.ts";

await writeFile(join(import.meta.dirname, "..", "docs", "settings.md"), settingsDocument());
