import { foldText } from "../domain/fold-text.ts";

/** What a list of common passwords answers in its thread. */
export interface CommonPasswords {
  /** Whether a folded password (`foldText`) is on the list. */
  has(folded: string): boolean;
}

/**
 * Runs in a thread: reading and indexing the 49,233 passwords takes 40 ms and 5 MB, which requests should not feel.
 *
 * @see NIST SP 800-63B-4, section 3.1.1.2, on blocklists
 */
export async function load(): Promise<CommonPasswords> {
  // CommonJS, whose names an ES module sees on the default import only.
  const { dictionary } = (await import("@zxcvbn-ts/language-common")).default;
  const words = new Set(dictionary["passwords-common"].map(foldText));
  return { has: (folded) => words.has(folded) };
}
