import { describe, expect, test } from "vitest";
import { readSettings } from "../../server/settings/read-settings.ts";
import { SettingsError } from "../../server/settings/settings-error.ts";

type Variables = Readonly<Record<string, string>>;

const placeOf = (variables: Variables) => readSettings(variables).settings.sessions;
const warningsOf = (variables: Variables) => readSettings(variables).warnings;

/** Everything that a refused start says. */
function refusal(variables: Variables): string {
  try {
    readSettings(variables);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error("it was not refused");
}

const single = {
  topology: "single",
  master: null,
  username: null,
  password: null,
  database: 0,
  isTls: false,
};
const local = (port: number) => [{ host: "localhost", port }];

describe("a backend without its address", () => {
  test.each([
    ["redis", { address: { ...single, nodes: local(6_379) }, prefix: "latchkey" }],
    ["valkey", { address: { ...single, nodes: local(6_379) }, prefix: "latchkey" }],
    ["mongodb", { address: { url: "mongodb://localhost:27017/", database: "latchkey" }, prefix: "latchkey" }],
    ["memcached", { nodes: local(11_211), prefix: "latchkey" }],
    ["file", { path: "data/sessions" }],
    ["memory", {}],
    ["database", {}],
  ])("%s is on this machine", (backend, place) => {
    expect(placeOf({ SESSION_BACKEND: backend })).toEqual({ backend, ...place });
  });

  test.each(["SESSION", "TINA4_SESSION"])("%s_HOST and _PORT say where it is", (prefix) => {
    const at = { [`${prefix}_HOST`]: "kv.internal", [`${prefix}_PORT`]: "7000" };
    const nodes = [{ host: "kv.internal", port: 7_000 }];
    expect(placeOf({ ...at, SESSION_BACKEND: "valkey" })).toMatchObject({ address: { nodes } });
    expect(placeOf({ ...at, SESSION_BACKEND: "memcached" })).toMatchObject({ backend: "memcached", nodes });
    expect(placeOf({ ...at, SESSION_BACKEND: "mongodb" })).toMatchObject({
      address: { url: "mongodb://kv.internal:7000/" },
    });
  });

  test("a host alone keeps the backend's own port, and an IPv6 address its brackets", () => {
    expect(placeOf({ SESSION_BACKEND: "redis", SESSION_HOST: "::1" })).toMatchObject({
      address: { nodes: [{ host: "::1", port: 6_379 }] },
    });
    expect(placeOf({ SESSION_BACKEND: "mongodb", SESSION_HOST: "::1" })).toMatchObject({
      address: { url: "mongodb://[::1]:27017/" },
    });
  });
});

describe("REDIS_URL", () => {
  const addressOf = (url: string) => {
    const place = placeOf({ SESSION_BACKEND: "redis", REDIS_URL: url });
    return place.backend === "redis" ? place.address : null;
  };

  test.each([
    ["redis://kv", { ...single, nodes: [{ host: "kv", port: 6_379 }] }],
    ["rediss://kv:7000/2", { ...single, nodes: [{ host: "kv", port: 7_000 }], isTls: true, database: 2 }],
    [
      "redis://me:p%40s%2Cs@[::1]/",
      { ...single, nodes: [{ host: "::1", port: 6_379 }], username: "me", password: "p@s,s" },
    ],
    ["valkey://:pass@kv", { ...single, nodes: [{ host: "kv", port: 6_379 }], password: "pass" }],
  ])("%s is one server", (url, address) => {
    expect(addressOf(url)).toEqual(address);
  });

  test("a comma makes a cluster, also one at the end of a single address", () => {
    expect(addressOf("redis://:p@a:1, redis://:p@b:2")).toEqual({
      ...{ ...single, topology: "cluster", password: "p" },
      nodes: [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ],
    });
    expect(addressOf("rediss://config.example:6379,")).toMatchObject({ topology: "cluster", isTls: true });
  });

  test("Sentinels with the name of their primary", () => {
    expect(addressOf("rediss+sentinel://me:p%3A@a,b:2,[::1]:3/my-primary/4")).toEqual({
      topology: "sentinel",
      nodes: [
        { host: "a", port: 26_379 },
        { host: "b", port: 2 },
        { host: "::1", port: 3 },
      ],
      ...{ master: "my-primary", username: "me", password: "p:", database: 4, isTls: true },
    });
  });

  test.each([
    ["kv:6379", "is no address of a Redis"],
    ["http://kv", "is no address of a Redis"],
    ["redis://", "is no address of a Redis"],
    ["redis://kv/x", "is no address of a Redis"],
    ["redis://kv/0?db=1", "is no address of a Redis"],
    [",", "is no address of a Redis"],
    ["redis://:hunter2pass@a,redis://b", "names servers of a cluster with different passwords or schemes"],
    ["redis://:hunter2pass@a/1,redis://:hunter2pass@b", "names a database by number"],
    ["redis+sentinel://a:26379", "is no address of a Redis"],
    ["redis+sentinel://:hunter2pass@a:0/primary", "is no address of Sentinels"],
  ])("%s is refused", (url, problem) => {
    const said = refusal({ SESSION_BACKEND: "redis", REDIS_URL: url });
    expect(said).toContain(`- REDIS_URL: ${problem}`);
    expect(said).not.toContain("hunter2pass");
  });

  test("it is read although another backend is chosen: what is wrong in it would wait for the day it is used", () => {
    expect(refusal({ REDIS_URL: "kv" })).toContain("- REDIS_URL: is no address of a Redis");
  });
});

describe("MONGODB_URL and MEMCACHED_URL", () => {
  test.each([
    ["mongodb://me:pass@a,b:2/app?replicaSet=rs0", "app"],
    ["mongodb+srv://cluster.example/", "latchkey"],
    ["mongodb://a", "latchkey"],
  ])("%s is the database %s", (url, database) => {
    expect(placeOf({ SESSION_BACKEND: "mongodb", MONGODB_URL: url })).toMatchObject({
      backend: "mongodb",
      address: { url, database },
    });
  });

  test("Memcached is a list of servers, with a scheme or without", () => {
    expect(
      placeOf({ SESSION_BACKEND: "memcached", MEMCACHED_URL: "memcached://a:1, b,[::1]:3" }),
    ).toMatchObject({
      backend: "memcached",
      nodes: [
        { host: "a", port: 1 },
        { host: "b", port: 11_211 },
        { host: "::1", port: 3 },
      ],
    });
  });

  test.each([
    ["MONGODB_URL", "mongodb://"],
    ["MONGODB_URL", "mongodb://me:hunter2pass@"],
    ["MONGODB_URL", "http://a"],
    ["MEMCACHED_URL", "memcached://me:hunter2pass@a"],
    ["MEMCACHED_URL", "a:70000"],
    ["MEMCACHED_URL", "a b"],
    ["MEMCACHED_URL", ","],
  ])("%s=%s is refused", (name, url) => {
    const said = refusal({ [name]: url });
    expect(said).toMatch(new RegExp(`^- ${name}: is no `, "m"));
    expect(said).not.toContain("hunter2pass");
  });
});

describe("SESSION_PREFIX", () => {
  test.each(["redis", "valkey", "mongodb", "memcached"])("tells applications on one %s apart", (backend) => {
    const given = { SESSION_BACKEND: backend, SESSION_PREFIX: "shop_EU2" };
    expect(placeOf(given)).toMatchObject({ prefix: "shop_EU2" });
    expect(warningsOf(given)).toEqual([]);
  });

  test.each(["shop:", "{shop}", "2shop", "_shop", "a-b", "a b", "a".repeat(41)])(
    "%s is refused",
    (prefix) => {
      expect(refusal({ SESSION_BACKEND: "redis", SESSION_PREFIX: prefix })).toContain(
        "- SESSION_PREFIX: is no usable prefix",
      );
    },
  );

  test.each(["database", "memory", "file"])("has no effect with %s, and that is said", (backend) => {
    expect(warningsOf({ SESSION_BACKEND: backend, SESSION_PREFIX: "shop" })).toContain(
      `SESSION_PREFIX has no effect with SESSION_BACKEND=${backend}.`,
    );
  });
});

describe("what contradicts", () => {
  test.each(["SESSION_HOST", "TINA4_SESSION_HOST"])(
    "%s beside the backend's own address is refused",
    (name) => {
      const said = refusal({ SESSION_BACKEND: "redis", REDIS_URL: "redis://a", [name]: "b" });
      expect(said).toContain(
        `- ${name}: says where sessions are, and so does REDIS_URL (found "b"). Keep REDIS_URL alone.`,
      );
    },
  );

  test("it is fine beside the address of a backend that is not in use", () => {
    expect(placeOf({ SESSION_BACKEND: "valkey", REDIS_URL: "redis://a", SESSION_HOST: "b" })).toMatchObject({
      address: { nodes: [{ host: "b" }] },
    });
  });
});

describe("SESSION_STORAGE", () => {
  const stateless = { SESSION_STORAGE: "stateless" };
  const production = { ORIGIN: "https://app.example", SECRET_KEY: "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T" };

  test("stateless starts with the default of every other setting, in production too, and without a warning", () => {
    for (const variables of [stateless, { ...stateless, ...production }, { SESSION_STORAGE: "Stateless" }]) {
      const { settings, warnings } = readSettings(variables);
      expect([settings.sessionStorage, settings.maxSessionsPerUser, warnings]).toEqual(["stateless", 5, []]);
    }
  });

  test("stateless is let through by strict mode: it is a choice", () => {
    const strict = {
      ...{ ...production, PRODUCTION_SECURITY_STRICT_MODE: "true", TRUSTED_PROXIES: "10.0.0.1" },
      ...{ SMTP_URL: "smtps://a:b@mail.example", MAIL_FROM: "no-reply@app.example" },
    };
    expect(readSettings({ ...strict, ...stateless }).settings.isStrict).toBe(true);
    expect(refusal({ ...strict, ...stateless, MAX_SESSIONS_PER_USER: "0" })).toMatch(
      /^- MAX_SESSIONS_PER_USER: lets one account fill the store/m,
    );
    const inMemory = { ...strict, SESSION_BACKEND: "memory" };
    expect(refusal(inMemory)).toContain("signs everybody out at each start");
    expect(refusal({ ...inMemory, ...stateless })).toContain("ends every sign-in for tokens at each start");
  });

  test.each(["true", "none", "cookie"])("%s is refused with the words there are", (word) => {
    expect(refusal({ SESSION_STORAGE: word })).toMatch(/^- SESSION_STORAGE: .*stateful.*stateless/m);
  });

  test.each(["1", "5", "10000"])("a limit of %s that was written is refused with stateless", (most) => {
    expect(refusal({ ...stateless, MAX_SESSIONS_PER_USER: most })).toContain(
      `- MAX_SESSIONS_PER_USER: cannot be held with SESSION_STORAGE=stateless, where cookies hold the sessions (found ${most}). Leave it out, or write SESSION_STORAGE=stateful.`,
    );
    expect(readSettings({ MAX_SESSIONS_PER_USER: most }).settings.maxSessionsPerUser).toBe(Number(most));
  });

  test("no limit may be written: blank or 0", () => {
    const mostOf = (most: string) =>
      readSettings({ ...stateless, MAX_SESSIONS_PER_USER: most }).settings.maxSessionsPerUser;
    expect([mostOf(" "), mostOf("0")]).toEqual([5, 0]);
  });

  test("a limit is compared with no mode that could not be read", () => {
    const said = refusal({ SESSION_STORAGE: "x", MAX_SESSIONS_PER_USER: "3" });
    expect(said).not.toContain("MAX_SESSIONS_PER_USER");
  });

  test("where sessions of tokens are kept is still said, and what memory means for them", () => {
    const place = { SESSION_BACKEND: "redis", REDIS_URL: "redis://a", SESSION_ENCRYPT: "true" };
    expect(readSettings({ ...stateless, ...place })).toMatchObject({
      warnings: [],
      settings: { sessions: { backend: "redis" }, sessionEncrypt: true },
    });
    expect(warningsOf({ ...stateless, SESSION_BACKEND: "memory" })).toEqual([
      expect.stringContaining("SESSION_BACKEND=memory keeps the sessions of tokens in the server's memory"),
    ]);
  });
});

describe("what an operator should hear", () => {
  test("sessions in memory end with the process, also in production", () => {
    const production = { ORIGIN: "https://app.example", SECRET_KEY: "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T" };
    for (const variables of [{}, production]) {
      expect(warningsOf({ ...variables, SESSION_BACKEND: "memory" })).toEqual([
        expect.stringContaining("SESSION_BACKEND=memory keeps sessions in the server's memory"),
      ]);
    }
  });

  test.each([
    ["REDIS_URL", "redis://a", "database"],
    ["REDIS_URL", "redis://a", "valkey"],
    ["VALKEY_URL", "redis://a", "redis"],
    ["MONGODB_URL", "mongodb://a", "file"],
    ["MEMCACHED_URL", "a", "memory"],
    ["SESSION_HOST", "a", "database"],
    ["SESSION_PORT", "1", "file"],
    ["SESSION_PATH", "x", "redis"],
  ])("%s=%s has no effect with %s", (name, value, backend) => {
    const warnings = warningsOf({ [name]: value, SESSION_BACKEND: backend });
    expect(warnings).toContain(`${name} has no effect with SESSION_BACKEND=${backend}.`);
  });

  test("what is in use gives no warning", () => {
    expect(warningsOf({ SESSION_BACKEND: "redis", REDIS_URL: "redis://a" })).toEqual([]);
    expect(warningsOf({ SESSION_BACKEND: "file", SESSION_PATH: "x" })).toEqual([]);
    expect(warningsOf({ SESSION_BACKEND: "valkey", SESSION_HOST: "a" })).toEqual([]);
  });
});
