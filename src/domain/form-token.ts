/** A form token taken apart. It proves that the form was shown to the same browser, and works once. */
export interface FormToken {
  /** Name of the form, `a-z 0-9 -`. */
  readonly form: string;
  /** 16 random bytes, base64url; what is marked as spent. */
  readonly nonce: string;
  readonly expiresAt: Date;
  readonly mac: Uint8Array;
}

/** Lifetime of a form token: an hour of typing. */
export const formTokenTtlSeconds = 3_600;

const shape = /^f1\.([a-z0-9-]{1,40})\.([A-Za-z0-9_-]{22})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})$/;

/** Reads a form token; null for anything of another shape. Nothing is verified by reading. */
export function parseFormToken(token: string): FormToken | null {
  const match = shape.exec(token);
  if (match === null) return null;
  const [, form = "", nonce = "", expiry = "", mac = ""] = match;
  return {
    form,
    nonce,
    expiresAt: new Date(Number.parseInt(expiry, 36)),
    mac: Buffer.from(mac, "base64url"),
  };
}

/** Writes a form token. */
export function formatFormToken({ form, nonce, expiresAt, mac }: FormToken): string {
  return `f1.${form}.${nonce}.${expiresAt.getTime().toString(36)}.${Buffer.from(mac).toString("base64url")}`;
}

/** The text that the MAC covers. `binding` is the session's id, or the nonce of the cookie that precedes a session. */
export function formTokenText(token: Omit<FormToken, "mac">, binding: string): string {
  return `${binding}|${token.form}|${token.nonce}|${token.expiresAt.getTime()}`;
}
