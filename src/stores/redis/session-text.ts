import type { RefreshFamily } from "../../domain/refresh-family.ts";
import type { Session } from "../../domain/session.ts";
import { type FamilyCells, familyCells, familyOf } from "../refresh.ts";
import { parsed } from "./parsed.ts";

/**
 * A session as it is kept under its id, four lines: numbers that scripts reckon with (last use, both limits, generation,
 * version of the data), the user, what never changes but for the refresh tokens at its end, the data. Scripts read the first
 * two and hand on the others unread, since Lua's JSON would turn an empty list into an object. The tokens are last in a list
 * of which the version before reads what it knows and keeps the rest.
 *
 * @throws TypeError - a digest is not 32 bytes long, or the user's id cannot be a line of its own
 */
export function sessionText(session: Session): string {
  const { secretDigest, userId, authTime, amr, isRemembered, createdAt, ip, userAgent, rotatedFrom } =
    session;
  if (secretDigest.length !== 32) throw new TypeError("a session's secretDigest has 32 bytes");
  if (userId === "" || userId?.includes("\n")) throw new TypeError("a user's id is one line of text");
  const times = [session.lastUsedAt, session.idleExpiresAt, session.expiresAt].map((time) => time.getTime());
  const digest = Buffer.from(secretDigest).toString("base64url");
  const fixed = [
    digest,
    createdAt.getTime(),
    authTime?.getTime() ?? null,
    amr,
    Number(isRemembered),
    ip,
    userAgent,
    rotatedFrom,
    ...(session.refresh === null ? [] : [familyCells(session.refresh)]),
  ];
  const numbers = [...times, session.generation, session.dataVersion].join(" ");
  return [numbers, userId ?? "", JSON.stringify(fixed), JSON.stringify(session.data)].join("\n");
}

type Fixed = readonly [
  digest: string,
  createdAt: number,
  authTime: number | null,
  amr: Session["amr"],
  isRemembered: number,
  ip: string | null,
  userAgent: string | null,
  rotatedFrom: string | null,
  refresh?: FamilyCells,
];

/** The refresh tokens as a script puts them into a session's text. @throws TypeError as {@link sessionText} */
export function familyText(family: RefreshFamily): string {
  return JSON.stringify(familyCells(family));
}

/** The session of a text. @throws Error for what {@link sessionText} never wrote */
export function sessionOf(id: string, text: string): Session {
  const lines = text.split("\n");
  const [numbers = "", userId = "", fixed = "", data = ""] = lines;
  const [lastUsedAt = 0, idleExpiresAt = 0, expiresAt = 0, generation = 0, dataVersion = 0] = numbers
    .split(" ")
    .map(Number);
  const what = `the session at ${id.slice(0, 8)}…`;
  if (lines.length !== 4) throw new Error(`${what} cannot be read`);
  const [digest, createdAt, authTime, amr, isRemembered, ip, userAgent, rotatedFrom, refresh] = parsed<Fixed>(
    fixed,
    what,
  );
  return {
    id,
    secretDigest: new Uint8Array(Buffer.from(digest, "base64url")),
    userId: userId === "" ? null : userId,
    generation,
    authTime: authTime === null ? null : new Date(authTime),
    amr,
    isRemembered: isRemembered === 1,
    createdAt: new Date(createdAt),
    lastUsedAt: new Date(lastUsedAt),
    idleExpiresAt: new Date(idleExpiresAt),
    expiresAt: new Date(expiresAt),
    ip,
    userAgent,
    rotatedFrom,
    data: data === "{}" ? {} : parsed<Session["data"]>(data, what),
    dataVersion,
    refresh: refresh === undefined ? null : familyOf(refresh),
  };
}
