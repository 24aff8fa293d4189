import { deviceWords } from "../../domain/device-words.ts";
import type { EventOrigin } from "../../domain/event.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import type { Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { mailTo } from "../mail/outbox.ts";

/** What the mail about a sign-in says, and which session its link ends. */
export interface NewDeviceDetail {
  readonly sessionId: string;
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ip: string | null;
  readonly device: string | null;
}

/** The mail to somebody who signed in in a browser that was not known, for the transaction of that sign-in. */
export function newDeviceMail(
  services: Pick<Services, "mails">,
  user: User,
  { id: sessionId, generation, createdAt }: Session,
  from: EventOrigin,
): Write[] {
  const detail: NewDeviceDetail = {
    sessionId,
    generation,
    at: createdAt.getTime(),
    ip: from.ip,
    device: deviceWords(from.userAgent),
  };
  return mailTo(services, user, "new_device", detail);
}

/** Whether none of a user's live sessions came from a browser that calls itself the same. Asks nothing where nobody would be told. */
export async function isNewDevice(
  { mails, stores, call, sealedSessions }: Services,
  user: User,
  { userAgent }: EventOrigin,
): Promise<boolean> {
  if (mails() === null || sealedSessions !== null) return false;
  const sessions = await stores.sessions.list(user.id, call());
  return !sessions.some((session) => session.userAgent === userAgent);
}
