import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { AuthError } from "../../errors.ts";
import { hostileTexts, withNul } from "./hostile.ts";
import {
  type Answered,
  type ProofHeaders,
  requestWith,
  type StrategyHarness,
  type StrategyRules,
  strategyCases,
} from "./strategy-trial.ts";
import type { ContractCase } from "./trial.ts";

/**
 * The rules that every `Strategy` keeps: absent, accepted and rejected are told apart, a bad proof is final, CSRF follows from
 * `ambient`, a backend that fails is never "nobody", and whatever a header holds is answered.
 */
export function strategyContract(harness: StrategyHarness): readonly ContractCase[] {
  return [
    ...strategyCases(harness, "basics", basics),
    ...strategyCases(harness, "basics", harness.ambient ? ambientRules : explicitRules),
    ...strategyCases(harness, "basics", hostileRules),
    ...strategyCases(harness, "concurrency", races),
    ...(harness.asksBackend === false ? [] : strategyCases(harness, "faults", faults)),
  ];
}

const basics: StrategyRules = {
  "a good proof is accepted, under the strategy's name": async (trial) => {
    const user = await trial.addUser();
    const good = await trial.good(user);
    for (const answer of [await trial.asked(good), await trial.guarded(good)]) {
      const principal = signedIn(answer);
      strictEqual(principal.user.id, user.id);
      strictEqual(principal.via, trial.harness.name);
      ok(principal.authTime instanceof Date && !Number.isNaN(principal.authTime.getTime()));
    }
  },

  "the principal's user is the account as it is now": async (trial) => {
    const user = await trial.addUser();
    const { user: found } = signedIn(await trial.asked(await trial.good(user)));
    strictEqual(found.email, user.email);
    strictEqual(found.status, "active");
  },

  "without a proof there is nobody, and no failure": async (trial) => {
    const absences: readonly (string | null | undefined)[] = [null, undefined, ""];
    for (const absence of absences) {
      nobody(await trial.asked({}, { headers: { get: () => absence } }), `a header that reads ${absence}`);
    }
    strictEqual((await trial.guarded({})).error?.status, 401);
  },

  "what is none of its own is absent, an unknown scheme too": async (trial) => {
    const foreign = await trial.foreign(await trial.addUser());
    const schemes = {
      "an unknown scheme": { authorization: "Unheard-Of dGVzdA==" },
      "a scheme alone": { authorization: "Bearer" },
      "another cookie": { cookie: "theme=dark" },
    };
    for (const [name, headers] of Object.entries({ ...schemes, ...foreign })) {
      nobody(await trial.asked(headers), name);
      strictEqual((await trial.guarded(headers)).error?.status, 401, name);
    }
  },

  "a bad proof is final, on a public route too": async (trial) => {
    const bad = await trial.bad(await trial.addUser());
    for (const [name, headers] of Object.entries(bad)) {
      const { error } = await trial.asked(headers);
      ok(error !== null, `${name}: it was let through`);
      ok(error.status >= 400 && error.status < 500, `${name}: status ${error.status}`);
      const asking = trial.auth.authenticate(requestWith(headers), { ip: null });
      await rejects(asking, AuthError, name);
    }
  },

  "a refusal repeats nothing of the proof": async (trial) => {
    const bad = await trial.bad(await trial.addUser());
    for (const [name, headers] of Object.entries(bad)) {
      const { error } = await trial.asked(headers);
      const told = `${error?.message} ${error?.diagnosis}`;
      for (const value of Object.values(headers))
        ok(value.length < 8 || !told.includes(value), `${name}: the proof is in the error`);
    }
  },

  "a disabled user's proof signs nobody in": async (trial) => {
    const user = await trial.addUser();
    const good = await trial.good(user);
    signedIn(await trial.asked(good));
    await trial.disable(user);
    unaccepted(await trial.asked(good), "disabled");
  },

  "its challenge stands in a 401": async (trial) => {
    const refused = await trial.auth.check(requestWith({}), { ip: null });
    ok(!refused.ok);
    const { headers } = trial.auth.errorAnswer(refused, { ip: null });
    const challenge = headers.find(([name]) => name.toLowerCase() === "www-authenticate")?.[1] ?? "";
    notStrictEqual(challenge.trim(), "");
    ok(
      challenge.split(",").every((scheme) => /^[!#$%&'*+.^_`|~\w-]+( .+)?$/.test(scheme.trim())),
      challenge,
    );
  },
};

const evil = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };

const ambientRules: StrategyRules = {
  "it is ambient: an unsafe request needs its origin and its CSRF token": async (trial) => {
    const good = await trial.good(await trial.addUser());
    const csrf = await trial.csrf?.(good);
    ok(csrf !== undefined, "an ambient strategy's scene has `csrf`");
    const own = { origin: trial.origin, "sec-fetch-site": "same-origin" };
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const post = { method };
      strictEqual((await trial.asked({ ...good, ...own }, post)).error?.code, "csrf_required");
      const forged: ProofHeaders = { ...good, ...csrf, ...evil };
      strictEqual((await trial.asked(forged, post)).error?.code, "origin_rejected");
      signedIn(await trial.asked({ ...good, ...csrf, ...own }, post));
    }
    signedIn(await trial.asked({ ...good, ...evil }));
  },
};

const explicitRules: StrategyRules = {
  "it is explicit: an unsafe request needs no CSRF token, whatever its origin": async (trial) => {
    const good = await trial.good(await trial.addUser());
    for (const method of ["POST", "PUT", "PATCH", "DELETE"])
      signedIn(await trial.asked({ ...good, ...evil }, { method }));
  },

  "it is explicit: no proof of it comes in a cookie": async (trial) => {
    const good = await trial.good(await trial.addUser());
    ok(
      Object.keys(good).every((name) => name.toLowerCase() !== "cookie"),
      "browsers send cookies by themselves",
    );
  },
};

const hostileRules: StrategyRules = {
  "whatever its headers hold is answered, and signs nobody in": async (trial) => {
    const good = await trial.good(await trial.addUser());
    const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
    const odd = [
      ...hostileTexts,
      ...hostileTexts.map(withNul),
      bytes,
      "\ud800",
      "x".repeat(100_000),
      ",".repeat(9_000),
    ];
    for (const name of Object.keys(good)) {
      for (const value of odd) unaccepted(await trial.asked({ ...good, [name]: value }), label(name, value));
    }
  },

  "a proof that was cut, lengthened or doubled is not accepted": async (trial) => {
    const good = await trial.good(await trial.addUser());
    for (const [name, value] of Object.entries(good)) {
      const mangled = [
        value.slice(0, -1),
        value.slice(1),
        `${value}x`,
        `${value}=`,
        `${value} x`,
        `x${value}`,
        `${value}, ${value}`,
        `${value}${value}`,
        withNul(value),
        `${value}${"A".repeat(100_000)}`,
      ];
      for (const other of mangled)
        unaccepted(await trial.asked({ ...good, [name]: other }), label(name, other));
    }
    signedIn(await trial.asked(good));
  },

  "odd methods and addresses are answered": async (trial) => {
    const good = await trial.good(await trial.addUser());
    for (const url of ["", "::", "http://[", "/%zz?a=%00", `/${"x".repeat(10_000)}`, "//evil.example/x"])
      signedIn(await trial.asked(good, { url }));
    for (const method of ["", "get", "PROPFIND", "x".repeat(1_000)])
      answered(await trial.asked(good, { method }), method);
  },
};

const races: StrategyRules = {
  "proofs of many at once do not mix": async (trial) => {
    const users = [await trial.addUser(), await trial.addUser(), await trial.addUser()];
    const proofs: ProofHeaders[] = [];
    for (const user of users) proofs.push(await trial.good(user));
    const asking = Array.from({ length: 30 }, (_, index) => trial.asked(proofs[index % 3] as ProofHeaders));
    const who = (await Promise.all(asking)).map((answer) => signedIn(answer).user.id);
    deepStrictEqual(
      who,
      Array.from({ length: 30 }, (_, index) => users[index % 3]?.id),
    );
  },
};

const faults: StrategyRules = {
  "a backend that fails is 503, and never nobody": async (trial) => {
    const good = await trial.good(await trial.addUser());
    trial.failAll();
    for (const answer of [await trial.asked(good), await trial.guarded(good)]) {
      strictEqual(answer.principal, null, "the failure read as an answer");
      deepStrictEqual([answer.error?.status, answer.error?.code], [503, "store_unavailable"]);
    }
  },

  "a backend that fails concerns nobody who sends no proof": async (trial) => {
    trial.failAll();
    nobody(await trial.asked({}), "no proof");
  },
};

function signedIn({ principal, error }: Answered) {
  ok(principal?.isAuthenticated, `not signed in: ${error?.code ?? "nobody"}`);
  return principal;
}

function nobody({ principal, error }: Answered, what: string): void {
  strictEqual(error, null, `${what}: ${error?.code}`);
  strictEqual(principal?.isAuthenticated, false, `${what} was accepted`);
}

function unaccepted(answer: Answered, what: string): void {
  answered(answer, what);
  ok(!answer.principal?.isAuthenticated, `${what} was accepted`);
}

// A refusal is an answer; an error of the server is none.
function answered({ error }: Answered, what: string): void {
  ok(error === null || error.status < 500, `${what}: ${error?.code}`);
}

function label(name: string, value: string): string {
  return `${name}: ${JSON.stringify(value.slice(0, 60))} (${value.length} characters)`;
}
