import type { SessionTokenFormat } from "latchkey";

/** Session tokens that scanners of leaked secrets know by their beginning. */
export const acmeTokens: SessionTokenFormat = {
  format: ({ id, secret }) => `acme_${id}~${secret}`,
  parse(text) {
    const [, id, secret] = /^acme_([^~]+)~(.+)$/.exec(text) ?? [];
    return id === undefined || secret === undefined ? null : { id, secret };
  },
};
