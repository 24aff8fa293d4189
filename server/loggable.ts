/** Every field that a line of the log may have beside `time`, `level` and `msg`. What is not in here is not written. */
export const loggableFields = [
  /** Runs through log, audit and problem documents. */
  "request_id",
  "method",
  /** Without the query; segments that could be a secret are `*`. */
  "path",
  "status",
  "duration_ms",
  "ip",
  "user_id",
  /** The public id. */
  "session_id",
  /** Name of an event, as in the audit. */
  "event",
  /** Code of a refusal. */
  "code",
  /** What the operator should know of a refusal beyond its code. */
  "diagnosis",
  /** Work in the background. */
  "task",
  "dropped",
  /** Who follows the log: a name of the application's own, or a webhook's. */
  "follower",
  /** A mail, by its id in the outbox, what it is about, how often it was tried and why it was not sent. */
  "mail_id",
  "purpose",
  "attempts",
  "retry_after_seconds",
  "reason",
  "because",
  /** Why a transaction was refused. */
  "refused",
  "origin",
  "port",
  "signal",
  "cause_name",
  "cause_code",
  /** Only of errors whose text is made of the system's own words. */
  "cause_message",
  /** Where it was thrown: function, file, line. */
  "cause_place",
] as const;

/** The name of a field that may be written. */
export type LoggableField = (typeof loggableFields)[number];

/** What a line of the log may say. */
export type LogFields = { readonly [F in LoggableField]?: string | number | boolean | null | undefined };

const longestText = 300;
const longestSegment = 40;

// The library names its fields as TypeScript does, lines of the log as the wire does.
function snakeCased(fields: object): Readonly<Record<string, unknown>> {
  const spelled = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [spelled(name), value]));
}

/** Of any fields those that may be written and hold something, as short plain values; the rest is gone, whatever it was. */
export function loggable(fields: object): LogFields {
  const given = snakeCased(fields);
  const kept: Record<string, string | number | boolean> = {};
  for (const name of loggableFields) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (typeof value === "string") kept[name] = value.slice(0, longestText);
    else if (typeof value === "number" || typeof value === "boolean") kept[name] = value;
  }
  return kept;
}

/**
 * A path as it may be written. Whatever Latchkey hands out with a secret in it is longer than 40 characters, so a
 * segment that long, or one of other characters than paths are made of, is `*`: people paste tokens into addresses. So is the name
 * of an account: the log must not tell of somebody who was erased since.
 */
export function loggablePath(pathname: string): string {
  const segments = pathname.split("/").slice(0, 12);
  const isPlain = (segment: string): boolean =>
    segment.length <= longestSegment && /^[A-Za-z0-9._~-]*$/.test(segment);
  return segments
    .map((segment, index) => (isPlain(segment) && !isName(segments, index) ? segment : "*"))
    .join("/");
}

// `/users/{user}/…` and `/users/db/{username}`. An id says nothing by itself.
function isName(segments: readonly string[], index: number): boolean {
  const [before, beforeThat] = [segments[index - 1], segments[index - 2]];
  const isNamed = before === "users" || (before === "db" && beforeThat === "users");
  const segment = segments[index] ?? "";
  return (
    isNamed &&
    segment !== "me" &&
    segment !== "db" &&
    !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(segment)
  );
}

/**
 * What may be written of an error's cause. Its message only where the system made it: others quote what they choked on
 * (`JSON.parse` does), which may be a password.
 */
export function loggableCause(cause: unknown): LogFields {
  if (!(cause instanceof Error)) return {};
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  const isOfSystem = "syscall" in cause || code === "ERR_SQLITE_ERROR" || cause.name === "SchemaError";
  const place = firstFrame(cause);
  return {
    cause_name: cause.name,
    ...(code !== undefined && { cause_code: code }),
    ...(isOfSystem && { cause_message: cause.message }),
    ...(place !== null && { cause_place: place }),
  };
}

// The stack begins with the message, which may span lines; only a line of the form "at f (file:1:2)" is a frame.
function firstFrame({ stack, message }: Error): string | null {
  const at = stack?.indexOf(message) ?? -1;
  // A message that was changed later: where the frames begin is not known.
  if (stack === undefined || at === -1) return null;
  const frames = stack.slice(at + message.length);
  return /^\s+at (.+:\d+:\d+\)?)$/m.exec(frames)?.[1]?.replace("file://", "") ?? null;
}
