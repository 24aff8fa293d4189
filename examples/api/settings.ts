import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the environment says, under the plain name or with `TINA4_` before it. */
export function setting(name: string, otherwise: string): string {
  return process.env[name] ?? process.env[`TINA4_${name}`] ?? otherwise;
}

/** A setting that is a whole number. */
export function number(name: string, otherwise: number): number {
  const text = setting(name, String(otherwise));
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Error(`${name}: a whole number, not "${text}"`);
}

/** `SECRET`, or one that is made at the first start and kept. Several servers need the same one, so they need `SECRET`. */
export function secret(folder: string): string {
  const given = setting("SECRET", "");
  if (given !== "") return given;
  const file = join(folder, "secret.key");
  try {
    writeFileSync(file, randomBytes(32).toString("base64url"), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFileSync(file, "utf8");
}
