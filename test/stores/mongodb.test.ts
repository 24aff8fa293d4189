import { randomUUID } from "node:crypto";
import { type Db, MongoClient } from "mongodb";
import { afterAll, describe, expect, inject, it } from "vitest";
import { memory } from "../../src/stores/memory.ts";
import { type MongoDatabase, type MongodbStores, mongodb } from "../../src/stores/mongodb/mongodb.ts";
import { split } from "../../src/stores/split.ts";
import {
  type DetachedHarness,
  detachedSessionContract,
  ephemeralContract,
  type StoreHarness,
  sessionContract,
} from "../../src/testing/testing.ts";

const url = inject("mongodbUrl");
const name = `latchkey_${randomUUID().slice(0, 8)}`;
const client = url === null ? null : new MongoClient(url);
afterAll(async () => {
  await client?.db(name).dropDatabase();
  await client?.close();
});

function storesOn(prefix: string): MongodbStores {
  if (client === null) throw new Error("there is no MongoDB");
  return mongodb({ database: client.db(name), prefix });
}

let prefix = "";
const fresh = (): MongodbStores => {
  prefix = `t${randomUUID().replaceAll("-", "")}_`;
  return storesOn(prefix);
};

// Nothing of this has ever run where there was no MongoDB.
describe.skipIf(url === null)("sessions on MongoDB keep the contract of detached sessions", () => {
  const harness: DetachedHarness = {
    open: async () => fresh().sessions,
    another: async () => storesOn(prefix).sessions,
  };
  for (const { section, name, run } of detachedSessionContract(harness)) it(`${section}: ${name}`, run);
});

describe.skipIf(url === null)("MongoDB beside a directory keeps the contracts", () => {
  const harness: StoreHarness = { open: async () => split({ ...memory(), ...fresh() }) };
  for (const suite of [sessionContract, ephemeralContract])
    for (const { section, name, run } of suite(harness)) it(`${section}: ${name}`, run);
});

describe("the options of MongoDB", () => {
  it("take the driver's database as it is", () => {
    const fits = (database: Db): MongoDatabase => database;
    expect(fits).toBeTypeOf("function");
  });

  it("refuse names that would be other collections", () => {
    const database = new MongoClient("mongodb://127.0.0.1:1").db("a");
    for (const prefix of ["", "a.b", "$x", "system.", "1a", "a\u0000", "x".repeat(61)])
      expect(() => mongodb({ database, prefix })).toThrow(TypeError);
    expect(() => mongodb({ database: {} as Db })).toThrow(TypeError);
  });
});
