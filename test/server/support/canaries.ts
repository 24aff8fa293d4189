/** A place where a secret was found. */
export interface Leak {
  /** What the secret is: never the secret itself. */
  readonly secret: string;
  /** How it was written there. */
  readonly form: string;
  readonly place: string;
}

/** Secrets that were handed out or sent in, and the search for them. */
export interface Canaries {
  /** Remembers a secret under a name for the report. Each is long and odd enough not to occur by chance. */
  add(name: string, secret: string): void;
  readonly size: number;
  /** Every secret that lies in these bytes, in any of the forms in which programs write things. */
  findIn(place: string, bytes: Uint8Array): Leak[];
}

/** Shorter ones would be found where they are not. */
const shortestBytes = 12;

export function canaries(): Canaries {
  const secrets = new Map<string, string>();
  return {
    add(name, secret) {
      if (Buffer.byteLength(secret) < shortestBytes)
        throw new Error(`${name} is too short to be searched for`);
      if (!secrets.has(secret)) secrets.set(secret, name);
    },
    get size() {
      return secrets.size;
    },
    findIn(place, bytes) {
      const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      // Identifiers are folded before they are used, and a password may have been typed into one.
      const folded = Buffer.from(haystack.toString("latin1").toLowerCase(), "latin1");
      const leaks: Leak[] = [];
      for (const [secret, name] of secrets) {
        for (const [form, needle] of forms(secret)) {
          const isThere = haystack.includes(needle) || folded.includes(needle);
          if (isThere) leaks.push({ secret: name, form, place });
        }
      }
      return leaks;
    },
  };
}

/** The ways in which a secret may be written down. */
export function forms(secret: string): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  const put = (form: string, needle: string | Buffer): void => {
    found.set(form, typeof needle === "string" ? Buffer.from(needle) : needle);
  };
  const bytes = Buffer.from(secret);
  put("as it is", secret);
  put("folded", secret.toLowerCase());
  put("UTF-16", Buffer.from(secret, "utf16le"));
  put("percent-encoded", encodeURIComponent(secret));
  put("JSON", JSON.stringify(secret).slice(1, -1));
  putEncodings("", bytes);
  // What is handed out is base64url of random bytes; those bytes are as good as the text.
  if (/^[A-Za-z0-9_-]{43}$/.test(secret)) {
    put("its bytes", Buffer.from(secret, "base64url"));
    putEncodings("its bytes in ", Buffer.from(secret, "base64url"));
  }
  return found;

  function putEncodings(prefix: string, raw: Buffer): void {
    put(`${prefix}hex`, raw.toString("hex"));
    put(`${prefix}HEX`, raw.toString("hex").toUpperCase());
    for (const alignment of [0, 1, 2]) {
      for (const encoding of ["base64", "base64url"] as const) {
        put(`${prefix}${encoding} at ${alignment}`, inner(raw, encoding, alignment));
      }
    }
  }
}

// Inside of a longer text base64 looks different by the secret's place in it; the characters that belong to the secret alone stay.
function inner(raw: Buffer, encoding: "base64" | "base64url", alignment: number): string {
  const encoded = Buffer.concat([Buffer.alloc(alignment), raw]).toString(encoding);
  const first = Math.ceil((alignment * 8) / 6);
  return encoded.slice(first, Math.floor(((alignment + raw.length) * 8) / 6));
}
