import { createHmac } from "node:crypto";
import { describe, it } from "vitest";
import { createAuth } from "../../src/auth.ts";
import { signedInAs } from "../../src/domain/principal.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { jwt } from "../../src/features/jwt.ts";
import { tokens } from "../../src/features/tokens.ts";
import { memory } from "../../src/stores/memory.ts";
import { type StrategyHarness, strategyContract } from "../../src/testing/testing.ts";
import { customHarness } from "./strategy-harness.ts";

/** Sessions of the cookie, kept in a store or in the cookie itself. */
function cookieHarness(mode: "stateful" | "stateless"): StrategyHarness {
  return {
    name: "session",
    ambient: true,
    open({ options, wrap }) {
      const auth = createAuth({ ...options, session: { ...options.session, mode }, stores: wrap(memory()) });
      const csrfTokens = new Map<string, string>();
      const cookie = (value: string) => ({ cookie: `__Host-latchkey=${value}` });
      return {
        auth,
        async good({ id }) {
          const { session } = (await auth.sessions.start(id)).change;
          if (typeof session !== "object") throw new Error("no session was started");
          const proof = cookie(session.token);
          csrfTokens.set(proof.cookie, session.csrfToken);
          return proof;
        },
        bad: () => ({}),
        async foreign(user) {
          const { session } = (await auth.sessions.start(user.id)).change;
          const token = typeof session === "object" ? session.token : "";
          return {
            "a token that nobody handed out": cookie(`${"a".repeat(24)}.${"a".repeat(43)}`),
            "a malformed token": cookie("null"),
            "a session that ended": cookie(await ended(token, user.id)),
          };
          async function ended(text: string, userId: string): Promise<string> {
            await auth.sessions.revokeAll(userId);
            return text;
          }
        },
        csrf: (good) => ({ "x-csrf-token": csrfTokens.get(good.cookie ?? "") ?? "" }),
      };
    },
  };
}

const accessTokens: StrategyHarness = {
  name: "jwt",
  ambient: false,
  open({ options, wrap }) {
    const feature = tokens();
    const auth = createAuth({ ...options, stores: wrap(memory()), features: [feature] });
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    const issue = async (userId: string) => (await auth.use(feature).issue(userId)).accessToken;
    return {
      auth,
      good: async ({ id }) => bearer(await issue(id)),
      async bad({ id }) {
        const token = await issue(id);
        const [header, payload] = token.split(".");
        const revoked = await issue(id);
        await auth.use(feature).revoke(revoked);
        return {
          "another signature": bearer(`${header}.${payload}.${"A".repeat(43)}`),
          "one that was revoked": bearer(revoked),
        };
      },
      foreign: () => ({
        "an opaque token": bearer("opaque"),
        "another scheme": { authorization: "Basic YTpi" },
      }),
    };
  },
};

/** Tokens of another program, which a program sends or a proxy adds by itself. */
const issuedElsewhere = (isAmbient: boolean): StrategyHarness => ({
  name: "elsewhere",
  ambient: isAmbient,
  open({ options, wrap }) {
    const key = "a key of another program, 32 bytes and more";
    const auth = createAuth({
      ...options,
      stores: wrap(memory()),
      features: [jwt({ name: "elsewhere", key, isAmbient })],
    });
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const bearer = (sub: string, seconds: number, by = key) => {
      const exp = Math.floor((options.clock?.now().getTime() ?? 0) / 1000) + seconds;
      const content = `${encoded({ alg: "HS256" })}.${encoded({ sub, exp })}`;
      const signature = createHmac("sha256", by).update(content).digest("base64url");
      return { authorization: `Bearer ${content}.${signature}` };
    };
    return {
      auth,
      good: ({ id }) => bearer(id, 60),
      bad: ({ id }) => ({
        "one that has expired": bearer(id, -60),
        "one of another key": bearer(id, 60, "another key of another program, 32 bytes"),
        "one of somebody who is not there": bearer("nobody", 60),
      }),
      foreign: () => ({ "an opaque token": { authorization: "Bearer opaque" } }),
      async csrf(good) {
        const request = { method: "GET", url: "/", headers: new Headers({ ...good }) };
        const token = await auth.sessions.csrfToken({ request, client: { ip: null } });
        return { "x-csrf-token": token ?? "" };
      },
    };
  },
});

const keys: StrategyHarness = {
  name: "api-key",
  ambient: false,
  open({ options, wrap }) {
    const feature = apiKeys();
    const auth = createAuth({ ...options, stores: wrap(memory()), features: [feature] });
    return {
      auth,
      async good(user) {
        const proof = { via: "session", amr: [], authTime: user.createdAt, sessionId: null, scopes: null };
        const { key } = await auth.use(feature).create(signedInAs(user, proof), { name: "key" });
        return { "x-api-key": key };
      },
      bad: () => ({ "no key at all": { "x-api-key": "nothing" } }),
      foreign: () => ({ "another bearer": { authorization: "Bearer opaque" } }),
    };
  },
};

const harnesses: Readonly<Record<string, StrategyHarness>> = {
  "the session cookie": cookieHarness("stateful"),
  "the session cookie that holds its session": cookieHarness("stateless"),
  "access tokens": accessTokens,
  "tokens of another program": issuedElsewhere(false),
  "tokens of another program that a proxy adds": issuedElsewhere(true),
  "API keys": keys,
  "a strategy of the application": customHarness(),
};

for (const [name, harness] of Object.entries(harnesses)) {
  describe(`the contract of strategies: ${name}`, () => {
    for (const { section, name: rule, run } of strategyContract(harness)) it(`${section}: ${rule}`, run);
  });
}
