import { originUrl, type Rule } from "./rules.ts";
import { secretWeakness } from "./secret-strength.ts";

const newSecret = "Run `latchkey secret` and use what it prints.";

/** What is refused in production, each by itself. */
export const inProduction: readonly Rule[] = [
  {
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
    about: ["secretKey"],
    broken: ({ secretKey }) => {
      const weakness = secretKey === null ? null : secretWeakness(secretKey);
      return weakness === null ? null : { found: "a guessable value", problem: weakness, fix: newSecret };
    },
  },
  {
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
    about: ["corsOrigins"],
    broken: ({ corsOrigins }) =>
      corsOrigins.includes("*")
        ? { found: '"*"', problem: "lets every site read answers", fix: "List the origins that need it." }
        : null,
  },
  mustStay("csrfEnabled", "would let every site act for its visitors"),
  mustStay("isProductionValidated", "would switch these checks off"),
];

function mustStay(field: "csrfEnabled" | "isProductionValidated", problem: string): Rule {
  return {
    about: [field],
    broken: (given) =>
      given[field] === false ? { found: "false", problem, fix: "Leave it out, or write true." } : null,
  };
}
