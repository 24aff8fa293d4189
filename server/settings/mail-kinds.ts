import type { Kind } from "./kind.ts";

/** Where mail is handed over. */
export interface SmtpAddress {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  readonly username: string | null;
  readonly password: string | null;
  /** Whether the connection begins with TLS; else it is upgraded where the server can. */
  readonly isTls: boolean;
}

const smtpFix =
  "Write smtp://user:password@host:587, or smtps://… for TLS from the first byte, what is special in a password as %xx.";

/** A mail server. */
export function smtpUrl(): Kind<SmtpAddress> {
  return {
    accepts: "smtp://… or smtps://…",
    unit: null,
    read: (text) => {
      const address = /[\s\p{Cc}]/u.test(text) || !URL.canParse(text) ? null : smtpAddress(new URL(text));
      return address === null
        ? { ok: false, problem: "is no address of a mail server", fix: smtpFix }
        : { ok: true, value: address };
    },
  };
}

function smtpAddress(url: URL): SmtpAddress | null {
  const { protocol, hostname, port, pathname, search, hash } = url;
  const isTls = protocol === "smtps:";
  if ((!isTls && protocol !== "smtp:") || hostname === "") return null;
  if (!["", "/"].includes(pathname) || search !== "" || hash !== "") return null;
  const [username, password] = [decoded(url.username), decoded(url.password)];
  if (username === null || password === null || (username === "") !== (password === "")) return null;
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (isTls ? 465 : 587) : Number(port),
    username: username === "" ? null : username,
    password: password === "" ? null : password,
    isTls,
  };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Whom mail comes from: `Name <address>`, or an address alone. */
export function mailSender(): Kind<string> {
  return {
    accepts: "Name <address@domain>, or an address alone",
    unit: null,
    read: (text) => {
      const address = /^[^<>]*<([^<>]+)>$/.exec(text)?.[1] ?? text;
      const isSender = /^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/.test(address) && !/\p{Cc}/u.test(text);
      return isSender
        ? { ok: true, value: text }
        : {
            ok: false,
            problem: "is no sender of mail",
            fix: "Write one as in Example <no-reply@app.example>.",
          };
    },
  };
}
