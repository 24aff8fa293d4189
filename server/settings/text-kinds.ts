import type { Kind } from "./kind.ts";

/** Fewest bytes of a secret: a key shorter than the digest weakens every HMAC made with it. @see RFC 2104, section 3 */
export const secretMinBytes = 32;

/** A secret. Its text never gets into a problem or a warning. */
export function secret(): Kind<string> {
  return {
    accepts: `at least ${secretMinBytes} bytes, no comma`,
    unit: null,
    read: (text) => {
      const fix = "Run `latchkey secret` and use what it prints.";
      // SECRET_KEY_PREVIOUS is a comma list: such a secret could never be rotated out.
      if (text.includes(",")) return { ok: false, problem: "contains a comma", fix };
      if (Buffer.byteLength(text) < secretMinBytes) {
        return { ok: false, problem: `is shorter than ${secretMinBytes} bytes`, fix };
      }
      return { ok: true, value: text };
    },
  };
}

/** Base64 of so many bytes, with its padding. */
export function base64Key(leastBytes: number, mostBytes: number): Kind<string> {
  const accepts = `base64 of ${leastBytes} to ${mostBytes} bytes`;
  return {
    accepts,
    unit: null,
    read: (text) => {
      const bytes = Buffer.from(text, "base64");
      const isKey = bytes.length >= leastBytes && bytes.length <= mostBytes;
      return isKey && bytes.toString("base64") === text
        ? { ok: true, value: text }
        : {
            ok: false,
            problem: `is not ${accepts}`,
            fix: "Copy the whole value, with the equals signs at its end.",
          };
    },
  };
}

/** A path of this origin such as `/app/dashboard`; a slash at the end is dropped. */
export function sitePath(): Kind<string> {
  return {
    accepts: "a path: /app/dashboard",
    unit: null,
    read: (text) => {
      const path = text.length > 1 ? text.replace(/\/$/, "") : text;
      const segments = path.split("/").slice(1);
      // "//host" and "/\host" lead to another site, dot segments to another path than the one that was checked.
      const isPath = path === "/" || (path.startsWith("/") && segments.every(isSegment));
      if (isPath) return { ok: true, value: path };
      const fix =
        "Begin with one slash and use letters, digits and . _ ~ - between slashes, as in /app/dashboard.";
      return { ok: false, problem: "is no path of this site", fix };
    },
  };
}

/** The part of a cookie's name that may be chosen; the prefixes `__Host-` and `__Secure-` are added where they apply. */
export function cookieName(): Kind<string> {
  return {
    accepts: "1 to 64 of A-Z a-z 0-9 _ -",
    unit: null,
    read: (text) => {
      const fix = "Write 1 to 64 of A-Z a-z 0-9 _ - without a prefix, as in latchkey.";
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(text)) return { ok: false, problem: "is no usable cookie name", fix };
      if (/^__(?:host|secure|http)/i.test(text))
        return { ok: false, problem: "has a prefix that is added by itself", fix };
      return { ok: true, value: text };
    },
  };
}

/** What the names of one application begin with in a server that several share: a word that every engine takes. */
export function storePrefix(): Kind<string> {
  return {
    accepts: "1 to 40 of A-Z a-z 0-9 _, first a letter",
    unit: null,
    read: (text) => {
      if (/^[A-Za-z][A-Za-z0-9_]{0,39}$/.test(text)) return { ok: true, value: text };
      return {
        ok: false,
        problem: "is no usable prefix",
        fix: "Write 1 to 40 of A-Z a-z 0-9 _ that begin with a letter, as in shop: what comes after it is added by itself.",
      };
    },
  };
}

/** The word in the text of API keys. */
export function keyWord(): Kind<string> {
  return {
    accepts: "1 to 16 of a-z 0-9",
    unit: null,
    read: (text) => {
      if (/^[a-z0-9]{1,16}$/.test(text)) return { ok: true, value: text };
      return { ok: false, problem: "is no usable word", fix: "Write 1 to 16 of a-z 0-9, as in live." };
    },
  };
}

// Shared with other proofs, or written by the client's own HTTP.
const takenHeaders = ["authorization", "cookie", "host", "origin", "proxy-authorization"];

/** The header of API keys. */
export function keyHeader(): Kind<string> {
  return {
    accepts: "the name of a header: 1 to 64 of A-Z a-z 0-9 -",
    unit: null,
    read: (text) => {
      const fix = "Write the name of a header of its own, as in X-API-Key.";
      if (!/^[A-Za-z0-9-]{1,64}$/.test(text)) return { ok: false, problem: "is no name of a header", fix };
      if (takenHeaders.includes(text.toLowerCase()))
        return { ok: false, problem: "is a header that holds something else", fix };
      return { ok: true, value: text };
    },
  };
}

/** The path of a folder, relative to the working directory or absolute. */
export function folderPath(): Kind<string> {
  return {
    accepts: "the path of a folder",
    unit: null,
    read: (text) => {
      if (!/\p{Cc}/u.test(text)) return { ok: true, value: text };
      return {
        ok: false,
        problem: "is no path of a folder",
        fix: "Write one, as in data/sessions or /var/lib/latchkey/sessions.",
      };
    },
  };
}

/** The path of a file: any text without control characters. */
export function filePath(): Kind<string> {
  return {
    accepts: "the path of a file",
    unit: null,
    read: (text) => {
      if (!/\p{Cc}/u.test(text)) return { ok: true, value: text };
      const fix = "Write one, as in data/signing-keys.json.";
      return { ok: false, problem: "is no path of a file", fix };
    },
  };
}

function isSegment(text: string): boolean {
  return /^[A-Za-z0-9._~-]+$/.test(text) && text !== "." && text !== "..";
}
