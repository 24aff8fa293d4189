/** What `cookies()` of `next/headers` resolves to, as far as it is used. */
export interface NextCookieJar {
  get(name: string): { readonly value: string } | undefined;
  /** Next throws where a page is rendered: its headers are on their way. */
  set(name: string, value: string, options: NextCookie): unknown;
}

/** Attributes of a cookie, as Next names them. */
export interface NextCookie {
  readonly path: string;
  readonly domain?: string;
  /** Seconds; absent for a cookie that ends with the browser. */
  readonly maxAge?: number;
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly sameSite: "lax" | "strict" | "none";
}

/** Where `seal` writes to in an action, which has no headers but cookies. What it writes beside them is left out. */
export function jarSink(jar: NextCookieJar): { append(name: string, value: string): void } {
  return {
    append(name, line) {
      if (name.toLowerCase() === "set-cookie") putIntoJar(jar, line);
    },
  };
}

/** Puts a cookie into Next's jar, from a line as `seal` writes it. */
export function putIntoJar(jar: NextCookieJar, line: string): void {
  const [pair = "", ...rest] = line.split("; ");
  const at = pair.indexOf("=");
  const attributes = new Map(rest.map((text) => [nameOf(text), text.slice(text.indexOf("=") + 1)]));
  const [domain, maxAge] = [attributes.get("domain"), attributes.get("max-age")];
  jar.set(pair.slice(0, at), pair.slice(at + 1), {
    path: attributes.get("path") ?? "/",
    ...(domain !== undefined && { domain }),
    ...(maxAge !== undefined && { maxAge: Number(maxAge) }),
    httpOnly: attributes.has("httponly"),
    secure: attributes.has("secure"),
    sameSite: sameSiteOf(attributes.get("samesite")),
  });
}

function nameOf(attribute: string): string {
  return (attribute.split("=")[0] ?? "").toLowerCase();
}

function sameSiteOf(text: string | undefined): NextCookie["sameSite"] {
  if (text === "None") return "none";
  return text === "Strict" ? "strict" : "lax";
}
