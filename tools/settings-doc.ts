import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { doctorDocument } from "../server/doctor/document.ts";
import { settingsDocument } from "../server/settings/document.ts";

const folder = join(import.meta.dirname, "..", "docs");
await writeFile(join(folder, "settings.md"), settingsDocument());
await writeFile(join(folder, "doctor.md"), doctorDocument());
