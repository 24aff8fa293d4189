import type { Mailer, MailMessage } from "latchkey/mail";

export declare const mailer: Mailer;
export declare const provider: {
  deliver(message: MailMessage, options: { signal: AbortSignal }): Promise<void>;
};
