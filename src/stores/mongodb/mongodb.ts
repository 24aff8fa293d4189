import type { DetachedSessions } from "../../ports/detached-sessions.ts";
import type { EphemeralStore } from "../../ports/ephemeral-store.ts";
import type { Port } from "../../ports/store.ts";
import { bounded, settled } from "../settled.ts";
import { slotSessions } from "../slot-sessions.ts";
import { type Collection, collection } from "./collection.ts";
import { collectionOptions, type MongoCollection, type MongoDatabase } from "./database.ts";
import { ephemeralStore } from "./ephemeral.ts";
import { type Opened, slotEngine } from "./slots.ts";

export type {
  MongoCollection,
  MongoCollectionOptions,
  MongoDatabase,
  MongoDocument,
  MongoFindOptions,
  MongoOperationOptions,
} from "./database.ts";

/** Settings of {@link mongodb}. */
export interface MongodbOptions {
  /** `client.db(name)` of the package `mongodb` 7. The client stays yours: close it after the stores. */
  readonly database: MongoDatabase;
  /** What the names of collections begin with: up to 60 letters, digits and `_`. Default `latchkey_`. */
  readonly prefix?: string;
}

/** Two stores on one MongoDB, for `split`. */
export interface MongodbStores {
  readonly sessions: DetachedSessions;
  readonly ephemeral: EphemeralStore;
}

const prefixShape = /^[A-Za-z_][A-Za-z0-9_]{0,59}$/;

/** How long the making of indexes may take; a collection that is full of documents takes a while. */
const indexLimit = { limitMs: 30_000, engine: "mongodb" };

/**
 * Sessions, and one-time tokens, counters and marks, on MongoDB 5 or newer, beside a directory elsewhere (`split`). Makes its
 * collections and their indexes by itself, at the first call.
 *
 * Everything is a single document, changed where it is as it was read; writes wait for a majority, reads ask the primary.
 * Every check reads one document, and the owner from the directory.
 *
 * @throws TypeError - an option cannot be used
 */
export function mongodb({ database, prefix = "latchkey_" }: MongodbOptions): MongodbStores {
  if (typeof database?.collection !== "function") throw new TypeError("mongodb: database is missing");
  if (typeof prefix !== "string" || !prefixShape.test(prefix))
    throw new TypeError("mongodb: prefix has up to 60 letters, digits and _, and begins with no digit");
  const opened = (name: string, end: string): Opened =>
    indexed(database.collection(prefix + name, collectionOptions), end);
  const port: Port = {
    engine: { name: "mongodb" },
    async ping({ signal }) {
      await settled(database.command({ ping: 1 }), signal);
    },
    // The client is its owner's.
    async close() {},
  };
  const collections = { values: opened("values", "endsAt"), counters: opened("counters", "endsAt") };
  return {
    sessions: slotSessions(slotEngine(port, opened("sessions", "firstEnd"))),
    ephemeral: ephemeralStore(port, collections),
  };
}

// Once; where it fails the next call tries again.
function indexed(inner: MongoCollection, end: string): Opened {
  let made: Promise<Collection> | null = null;
  const make = async (): Promise<Collection> => {
    await inner.createIndex({ [end]: 1 }, {});
    await inner.createIndex({ goneAt: 1 }, { expireAfterSeconds: 0 });
    return collection(inner);
  };
  return () => {
    made ??= bounded(make(), indexLimit).catch((error) => {
      made = null;
      throw error;
    });
    return made;
  };
}
