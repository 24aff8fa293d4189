import type { Parameter, Queries, Statement } from "../sql/queries.ts";
import { isDuplicate } from "./link.ts";

/** Adds a row; false where a unique index has one like it. */
export async function inserted(
  queries: Queries,
  insert: Statement,
  row: readonly Parameter[],
): Promise<boolean> {
  try {
    await queries.run(insert, ...row);
    return true;
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    return false;
  }
}
