import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSessionToken, type SessionToken } from "../../src/domain/session.ts";
import type { SessionTokenFormat } from "../../src/ports/session-token.ts";
import { bareRequest } from "../support/browser.ts";
import { cookieName, world } from "../support/world.ts";

/** Tokens that a scanner of leaked secrets knows by their beginning. */
const prefixed: SessionTokenFormat = {
  format: ({ id, secret }) => `acme_${id}~${secret}`,
  parse(text) {
    const [, id, secret] = /^acme_([^~]+)~(.+)$/.exec(text) ?? [];
    return id === undefined || secret === undefined ? null : { id, secret };
  },
};

const start = (change: Partial<SessionTokenFormat>) => () =>
  world({ sessionTokens: { ...prefixed, ...change } });

const who = async (here: ReturnType<typeof world>, value: string) => {
  const request = bareRequest({ headers: { cookie: `${cookieName}=${value}` } });
  const { principal, change } = await here.auth.authenticate(request, { ip: null });
  return { user: principal.user?.id ?? null, change };
};

describe("a session token of another format", () => {
  test("is what the browser carries, through registration, sign-out and sign-in", async () => {
    const here = world({ sessionTokens: prefixed });
    const ana = await here.registered();
    expect(ana.jar.get(cookieName)).toMatch(/^acme_[A-Za-z0-9]{24}~[A-Za-z0-9_-]{43}$/);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    expect((await ana.post("/api/v1/auth/logout")).body).toEqual({ ended: true });
    expect((await ana.get("/api/v1/users/me")).status).toBe(401);
  });

  test("is the only one that counts: the usual spelling of the same token is cleared", async () => {
    const here = world({ sessionTokens: prefixed });
    const ana = await here.registered();
    const { id, secret } = prefixed.parse(ana.jar.get(cookieName) ?? "") as SessionToken;
    expect(await who(here, `${id}.${secret}`)).toEqual({ user: null, change: { session: "clear" } });
    expect(await who(here, `acme_${id}~${secret}`)).toEqual({ user: ana.userId, change: undefined });
    expect(await who(here, `acme_${id}~${"A".repeat(43)}`)).toMatchObject({ user: null });
  });

  test("is refused at the start where tokens do not survive it, or no cookie carries them", () => {
    const cut = { parse: (text: string) => ({ id: text.slice(5, 29), secret: "" }) };
    const swapped = ({ id, secret }: SessionToken) => `acme_${secret}~${id}`;
    const message = (change: Partial<SessionTokenFormat>) => {
      try {
        start(change)();
        return "it started";
      } catch (error) {
        return error instanceof TypeError ? error.message : "no TypeError";
      }
    };
    const noCookie = "sessionTokens: format writes what no cookie can carry; use A-Z a-z 0-9 . _ ~ -";
    const lost = "sessionTokens: parse does not give back what format was given";
    expect(message({ format: () => "always~the-same" })).toBe(lost);
    expect(message({ format: ({ id }) => `acme_${id}~id` })).toBe(lost);
    expect(message({ format: swapped })).toBe(lost);
    expect(message(cut)).toBe(lost);
    expect(message({ format: ({ id, secret }) => `acme_${id.toLowerCase()}~${secret}` })).toBe(lost);
    expect(message({ format: ({ id, secret }) => `acme_${id};${secret}` })).toBe(noCookie);
    expect(message({ format: ({ id, secret }) => `acme_${id} ${secret}` })).toBe(noCookie);
    expect(message({ format: () => "" })).toBe(noCookie);
    expect(message({ format: () => null as never })).toBe(noCookie);
    expect(message({ format: (token) => prefixed.format(token) + "x".repeat(2_000) })).toBe(
      "sessionTokens: format writes more than 2048 characters",
    );
    const careless = (text: string) => prefixed.parse(text) ?? { id: "", secret: "" };
    const throws = (text: string) => prefixed.parse(text) ?? JSON.parse(text);
    for (const parse of [careless, throws])
      expect(message({ parse })).toBe("sessionTokens: parse must answer null to what format never wrote");
    expect(message({})).toBe("it started");
  });

  test("that stumbles over a cookie later on makes it a malformed cookie, and no error", async () => {
    const stumbling: SessionTokenFormat = {
      ...prefixed,
      parse(text) {
        if (text.startsWith("boom")) throw new Error("boom");
        if (text.startsWith("odd")) return { id: "../../x", secret: "y" };
        return prefixed.parse(text);
      },
    };
    const here = world({ sessionTokens: stumbling });
    here.recorder.calls.length = 0;
    for (const value of ["boom", "odd", `acme_${"a".repeat(24)}~short`, `acme_${"a".repeat(3_000)}~x`])
      expect(await who(here, value)).toEqual({ user: null, change: { session: "clear" } });
    expect(here.recorder.trace()).toEqual([]);
  });

  test("never gets to see what is longer than any token", async () => {
    const seen: number[] = [];
    const here = world({
      sessionTokens: {
        ...prefixed,
        parse(text) {
          seen.push(text.length);
          return prefixed.parse(text);
        },
      },
    });
    seen.length = 0;
    await who(here, "x".repeat(2_049));
    expect(seen).toEqual([]);
    await who(here, "x".repeat(2_048));
    expect(seen).toEqual([2_048]);
  });
});

test("whatever a cookie holds, only what was handed out in the usual form is read", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 80 }), (text) => {
      const token = parseSessionToken(text);
      expect(token === null || `${token.id}.${token.secret}` === text).toBe(true);
    }),
  );
});
