import { originUrl, type Rule } from "./rules.ts";
import { secretWeakness } from "./secret-strength.ts";

const newSecret = "Run `latchkey secret` and use what it prints.";

/** What is refused in production, each by itself. */
export const inProduction: readonly Rule[] = [
  {
    id: "secret-set",
    title: "A secret of your own is set",
    about: ["secretKey"],
    broken: ({ secretKey }) =>
      secretKey === null
        ? {
            found: "nothing",
            problem: "is needed in production, so that it is yours and survives a new machine",
            fix: newSecret,
          }
        : null,
  },
  {
    id: "secret-strong",
    title: "The secret cannot be guessed",
    about: ["secretKey"],
    broken: ({ secretKey }) => {
      const weakness = secretKey === null ? null : secretWeakness(secretKey);
      return weakness === null ? null : { found: "a guessable value", problem: weakness, fix: newSecret };
    },
  },
  {
    id: "previous-secrets-strong",
    title: "Former secrets cannot be guessed",
    // A former secret still verifies: who guesses it forges what is signed with it.
    about: ["previousSecretKeys"],
    broken: ({ previousSecretKeys }) => {
      const weak = previousSecretKeys.flatMap((secret, index) => {
        const weakness = secretWeakness(secret);
        return weakness === null ? [] : [`entry ${index + 1} ${weakness}`];
      });
      return weak.length === 0
        ? null
        : { found: "guessable values", problem: weak.join("; "), fix: "Drop them from the list." };
    },
  },
  {
    id: "origin-https",
    title: "The origin is https",
    about: ["origin"],
    broken: (given) => {
      const { origin, protocol } = originUrl(given);
      const found = given.origin === null ? "nothing, which is http on loopback" : `"${origin}"`;
      return protocol === "https:"
        ? null
        : { found, problem: "is not https in production", fix: "Set it to one that begins with https://." };
    },
  },
  {
    id: "trusted-origins-https",
    title: "Trusted origins are https",
    // Whoever sits between a visitor and an http page can write its scripts, and those would be trusted.
    about: ["trustedOrigins"],
    broken: ({ trustedOrigins }) => {
      const open = trustedOrigins.filter((origin) => origin.startsWith("http:"));
      return open.length === 0
        ? null
        : {
            found: open.join(", "),
            problem: "names origins that are not https",
            fix: "Use https for those, or drop them.",
          };
    },
  },
  {
    id: "debug-off",
    title: "Debugging is off",
    about: ["debug"],
    broken: ({ debug }) =>
      debug
        ? {
            found: "true",
            problem: "is for loopback alone",
            fix: "Leave it out, or set LOG_LEVEL=debug for a while.",
          }
        : null,
  },
  {
    id: "cors-listed",
    title: "Sites that may read answers are listed",
    about: ["corsOrigins"],
    broken: ({ corsOrigins }) =>
      corsOrigins.includes("*")
        ? { found: '"*"', problem: "lets every site read answers", fix: "List the origins that need it." }
        : null,
  },
  {
    id: "csrf-on",
    title: "Forged requests are refused",
    ...mustStay("csrfEnabled", "would let every site act for its visitors"),
  },
  {
    id: "gate-on",
    title: "These checks are not switched off",
    ...mustStay("isProductionValidated", "would switch these checks off"),
  },
];

function mustStay(
  field: "csrfEnabled" | "isProductionValidated",
  problem: string,
): Omit<Rule, "id" | "title"> {
  return {
    about: [field],
    broken: (given) =>
      given[field] === false ? { found: "false", problem, fix: "Leave it out, or write true." } : null,
  };
}
