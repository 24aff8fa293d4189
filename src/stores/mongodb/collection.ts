import { bounded } from "../settled.ts";
import { isDuplicate, type MongoCollection, type MongoDocument } from "./database.ts";

/**
 * A collection as it is used here. Every step is about one document and ends in time: the driver waits for ever on a connection that
 * hangs, and has no option against it (`timeoutMS` does nothing).
 */
export interface Collection {
  findOne(filter: object): Promise<MongoDocument | null>;
  /** At most `limit` documents, those with the lowest `by` first; with these fields alone. */
  find(
    filter: object,
    asked: { readonly by: string; readonly limit: number; readonly fields: readonly string[] },
  ): Promise<readonly MongoDocument[]>;
  /** False where a document of this `_id` is there. */
  insert(document: object): Promise<boolean>;
  /** Whether there was one to change. */
  set(filter: object, fields: object): Promise<boolean>;
  /** Sets the fields of the document of this `_id`, or makes it. False where another was making it. */
  put(filter: object, fields: object): Promise<boolean>;
  /** Adds to a field; the document as it is then, or null where there was none. */
  add(filter: object, field: string, number: number): Promise<MongoDocument | null>;
  /** Deletes one; as it was, or null. */
  take(filter: object): Promise<MongoDocument | null>;
  /** Deletes all; how many. */
  delete(filter: object): Promise<number>;
}

/** How long an operation may take, at the server and in all. */
const operation = { maxTimeMS: 10_000 } as const;
const limit = { limitMs: operation.maxTimeMS, engine: "mongodb" };

/** A collection over the driver's. */
export function collection(inner: MongoCollection): Collection {
  return {
    findOne: (filter) => bounded(inner.findOne(filter, operation), limit),
    find: (filter, { by, limit: most, fields }) => {
      const projection = Object.fromEntries(fields.map((field) => [field, 1] as const));
      const options = { ...operation, sort: { [by]: 1 as const }, limit: most, projection };
      return bounded(all(inner.find(filter, options)), limit);
    },
    insert: (document) => bounded(unlessThere(inner.insertOne(document, operation)), limit),
    async set(filter, fields) {
      const options = { ...operation, upsert: false };
      const { matchedCount } = await bounded(inner.updateOne(filter, { $set: fields }, options), limit);
      return matchedCount === 1;
    },
    put: (filter, fields) =>
      bounded(unlessThere(inner.updateOne(filter, { $set: fields }, { ...operation, upsert: true })), limit),
    add: (filter, field, number) =>
      bounded(
        inner.findOneAndUpdate(
          filter,
          { $inc: { [field]: number } },
          { ...operation, returnDocument: "after" },
        ),
        limit,
      ),
    take: (filter) => bounded(inner.findOneAndDelete(filter, operation), limit),
    delete: async (filter) => (await bounded(inner.deleteMany(filter, operation), limit)).deletedCount,
  };
}

async function all(documents: AsyncIterable<MongoDocument>): Promise<readonly MongoDocument[]> {
  const found: MongoDocument[] = [];
  for await (const document of documents) found.push(document);
  return found;
}

async function unlessThere(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}
