import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AuthOptions, createAuth } from "../../src/auth.ts";
import { passwords } from "../../src/features/passwords.ts";
import { memory } from "../../src/stores/memory.ts";
import { memorySessions } from "../../src/stores/memory-sessions.ts";
import { secret } from "../support/world.ts";

const origin = "http://localhost:3000";
const listener = () => undefined;

/** What `createAuth` says, line by line, as somebody reads it who wrote JavaScript. */
function refusal(options: unknown): readonly string[] {
  try {
    void createAuth(options as AuthOptions).close();
    return ["accepted"];
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    const [head, ...lines] = (error as TypeError).message.split("\n- ");
    expect(head).toBe("createAuth cannot start:");
    return lines;
  }
}

function given(options: object): readonly string[] {
  return refusal({ origin, secrets: [secret], stores: memory(), ...options });
}

describe("a first mistake is named, with the fix:", () => {
  const suchStores = "stores: stores, such as sqlite({ path }) or memory();";
  const suchPasswords = "a feature, such as passwords();";
  const alone =
    "these are sessions alone; join it with a directory of users by split({ directory, sessions, ephemeral })";
  test.each([
    [
      "no secrets",
      { secrets: undefined },
      "secrets: a list, such as [process.env.SECRET_KEY]; nothing was given",
    ],
    [
      "one secret",
      { secrets: secret },
      "secrets: a list, such as [process.env.SECRET_KEY]; a text was given",
    ],
    [
      "a secret that the environment has not",
      { secrets: [undefined] },
      "secrets[0]: a text, such as what `latchkey secret` prints; nothing was given",
    ],
    ["no origin", { origin: undefined }, "origin: a text, such as https://app.example; nothing was given"],
    [
      "an origin as a URL",
      { origin: new URL(origin) },
      "origin: a text, such as https://app.example; an object was given",
    ],
    ["no stores", { stores: undefined }, `${suchStores} nothing was given`],
    ["a path", { stores: "app.db" }, `${suchStores} a text was given`],
    ["stores uncalled", { stores: memory }, `${suchStores} a function was given; call it: memory(…)`],
    [
      "stores to wait for",
      { stores: Promise.resolve(memory()) },
      `${suchStores} a promise was given; \`await\` it`,
    ],
    ["sessions alone", { stores: memorySessions() }, `stores: ${alone}`],
    [
      "sessions and counters alone",
      { stores: { ...memory(), directory: undefined } },
      "stores: it lacks directory; join it with a directory of users by split({ directory, sessions, ephemeral })",
    ],
    [
      "a directory alone",
      { stores: memory().directory },
      `${suchStores} it lacks directory, sessions, ephemeral`,
    ],
    [
      "a feature uncalled",
      { features: [passwords] },
      `features[0]: ${suchPasswords} a function was given; call it: passwords(…)`,
    ],
    [
      "a feature in no list",
      { features: passwords() },
      "features: a list, such as [passwords()]; an object was given",
    ],
    [
      "a feature that is not there",
      { features: [undefined] },
      `features[0]: ${suchPasswords} nothing was given`,
    ],
    [
      "a strategy that is none",
      { strategies: [{ name: "own" }] },
      "strategies[0]: a strategy; it lacks authenticate",
    ],
    [
      "a listener in no list",
      { listeners: listener },
      "listeners: a list, such as [ownListener]; a function was given",
    ],
    [
      "a policy in no list",
      { policies: listener },
      "policies: a list, such as [ownPolicy]; a function was given",
    ],
    ["a policy's answer", { policies: [null] }, "policies[0]: a function; nothing was given"],
    [
      "one trusted origin",
      { trustedOrigins: "https://a.example" },
      'trustedOrigins: a list, such as ["https://app.example"]; a text was given',
    ],
    ["cors switched on", { cors: true }, "cors: an object; a truth value was given"],
    [
      "one origin of cors",
      { cors: { origins: "https://a.example" } },
      'cors.origins: a list, such as ["https://app.example"]; a text was given',
    ],
    [
      "cors without origins",
      { cors: {} },
      'cors.origins: a list, such as ["https://app.example"]; nothing was given',
    ],
    ["seconds for a session", { session: 3_600 }, "session: an object; a number was given"],
    ["a path that is none", { passwordPath: 5 }, "passwordPath: a text, such as /auth; a number was given"],
    ["names of roles", { roles: ["admin"] }, "roles: an object; a list was given"],
    ["a log that is none", { log: { warn: listener } }, "log: a log; it lacks error"],
  ])("%s", (_, options, line) => {
    expect(given(options)).toEqual([line]);
  });

  test("no options at all", () => {
    expect(refusal(undefined)).toEqual(["options: an object, such as { origin, secrets, stores }"]);
  });

  test("several at once, in one go with values that cannot be used", () => {
    const options = { stores: {}, secrets: [undefined], features: [passwords], freshSeconds: 0, csrf: "no" };
    const names = given(options).map((line) => line.slice(0, line.indexOf(":")));
    expect(names).toEqual(["secrets[0]", "freshSeconds", "csrf", "stores", "features[0]"]);
  });
});

test("whatever is given for whatever option, the refusal is one that names it, and tells no secret", () => {
  const names = ["origin", "secrets", "trustedOrigins", "cookie", "session", "login", "cors", "loginPath"];
  const parts = [
    "stores",
    "features",
    "strategies",
    "policies",
    "listeners",
    "roles",
    "onError",
    "log",
    "clock",
  ];
  const hidden = "hidden-hidden-hidden-hidden-hidden";
  const anything = fc.oneof(
    fc.anything({ maxDepth: 2 }),
    fc.constantFrom<unknown>(hidden, [hidden, 5], [[hidden]], { origins: hidden }, listener, [listener]),
  );
  fc.assert(
    fc.property(fc.constantFrom(...names, ...parts), anything, (name, value) => {
      // Roles have a check of their own, which names what they hold.
      fc.pre(!(name === "roles" && typeof value === "object"));
      for (const line of given({ [name]: value })) {
        expect(line === "accepted" || line.startsWith(name)).toBe(true);
        if (name === "secrets") expect(line).not.toContain("hidden");
      }
    }),
  );
});
