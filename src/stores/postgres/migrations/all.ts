import type { Migration } from "../../sql/migration.ts";
import { initial } from "./0001-initial.ts";
import { proofs } from "./0003-proofs.ts";
import { people } from "./0004-people.ts";

/** Every migration, in order. The last one makes the schema that this version works on. */
export const migrations: readonly Migration[] = [initial, proofs, people];
