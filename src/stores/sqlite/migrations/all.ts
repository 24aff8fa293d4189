import type { Migration } from "../../sql/migration.ts";
import { initial } from "./0001-initial.ts";
import { revocations } from "./0002-revocations.ts";

/** Every migration, in order. The last one makes the schema that this version works on. */
export const migrations: readonly Migration[] = [initial, revocations];
