import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import type { Environment } from "./draft.ts";
import { SettingsError } from "./settings-error.ts";

/** What a file of settings says. */
export interface EnvFile {
  readonly variables: Environment;
  /** Names whose value ends before a `#`, with no blank between that would set a comment apart. */
  readonly cut: readonly string[];
}

/** Reads a file in the form of `.env`; one that is not there says nothing. @throws SettingsError where it is there and cannot be read */
export async function readEnvFile(path: string): Promise<EnvFile> {
  try {
    const text = await readFile(path, "utf8");
    const variables = parseEnv(text);
    return { variables, cut: cutIn(text, variables) };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    if (code === "ENOENT") return { variables: {}, cut: [] };
    // Starting without it would start with other settings than the operator wrote down.
    const fix = "Make it a file that the user of the server can read, or remove it.";
    throw new SettingsError([{ setting: path, found: code, problem: "cannot be read", fix }]);
  }
}

// Outside of quotation marks every `#` begins a comment. Read without those that follow on something, a value that one cut off is longer.
function cutIn(text: string, variables: Environment): readonly string[] {
  const uncut: Environment = parseEnv(text.replace(/(?<=\S)#/g, "_"));
  return Object.keys(variables).filter((name) => (uncut[name]?.length ?? 0) > (variables[name]?.length ?? 0));
}
