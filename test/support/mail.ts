import { type Mail, type MailOptions, mail } from "../../src/features/mail.ts";
import { type MailSink, mailSink } from "../../src/testing/mail-sink.ts";
import { type World, type WorldOptions, world } from "./world.ts";

/** A world that sends mail into a sink. */
export interface MailWorld extends World {
  readonly mail: Mail;
  readonly sink: MailSink;
  /** Waits until everything that is due was sent. */
  delivered(): Promise<void>;
}

/** A new world with mail; registration is `open` unless it is asked for otherwise. */
export function mailWorld({
  mail: options = {},
  ...rest
}: WorldOptions & { readonly mail?: Partial<MailOptions> } = {}): MailWorld {
  const sink = mailSink();
  const feature = mail({ mailer: sink, from: "Example <no-reply@app.example>", ...options });
  const features = [feature, ...(rest.features ?? [])];
  const here = world({ registration: "open", ...rest, features });
  const api = here.auth.use(feature);
  return Object.assign(here, { mail: api, sink, delivered: () => api.flush() });
}
