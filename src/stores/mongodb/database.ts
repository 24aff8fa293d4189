/** A document as it comes. */
export type MongoDocument = Readonly<Record<string, unknown>>;

/** What is told to every operation. */
export interface MongoOperationOptions {
  /** How long the server works on it. */
  maxTimeMS: number;
}

/** What is used of a `Collection` of the package `mongodb`. */
export interface MongoCollection {
  findOne(filter: object, options: MongoOperationOptions): Promise<MongoDocument | null>;
  find(filter: object, options: MongoFindOptions): AsyncIterable<MongoDocument>;
  insertOne(document: object, options: MongoOperationOptions): Promise<unknown>;
  updateOne(
    filter: object,
    update: object,
    options: MongoOperationOptions & { upsert: boolean },
  ): Promise<{ matchedCount: number }>;
  findOneAndUpdate(
    filter: object,
    update: object,
    options: MongoOperationOptions & { returnDocument: "after" },
  ): Promise<MongoDocument | null>;
  findOneAndDelete(filter: object, options: MongoOperationOptions): Promise<MongoDocument | null>;
  deleteMany(filter: object, options: MongoOperationOptions): Promise<{ deletedCount: number }>;
  createIndex(keys: Record<string, 1>, options: { expireAfterSeconds?: number }): Promise<unknown>;
}

/** What is used of the options of `find`. */
export interface MongoFindOptions extends MongoOperationOptions {
  sort: Record<string, 1>;
  limit: number;
  projection: Record<string, 1>;
}

/** How collections are read and written, whatever the client's own settings and its address say. */
export interface MongoCollectionOptions {
  readPreference: "primary";
  readConcern: { level: "local" };
  writeConcern: { w: "majority" };
}

/** What is used of a `Db` of the package `mongodb`. */
export interface MongoDatabase {
  collection(name: string, options: MongoCollectionOptions): MongoCollection;
  command(command: { ping: 1 }): Promise<unknown>;
}

/**
 * A write is acknowledged once a majority has it, so that a change of primary undoes none. Reads are the primary's: what they see too
 * early or too late is caught by the condition of the write that follows.
 */
export const collectionOptions: MongoCollectionOptions = {
  readPreference: "primary",
  readConcern: { level: "local" },
  writeConcern: { w: "majority" },
};

/** Whether a write failed because a document of this `_id` is there. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === 11_000;
}

/** Latest time that a `Date` holds, in ms. */
const latestMs = 8.64e15;

/** When the server may forget, by its own clock, what ends in `ms` from now: later than that by `laterMs`. */
export function goneAt(ms: number, laterMs: number, machineMs: number = Date.now()): Date {
  return new Date(Math.min(latestMs, machineMs + Math.max(0, ms) + laterMs));
}
