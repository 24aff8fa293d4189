/** What a mail is about; the sender makes its text, and mints its token, when it sends. */
export type MailPurpose =
  | "verify"
  | "reset"
  | "registration"
  | "registration_taken"
  | "email_change"
  | "email_changed"
  | "magic_link"
  | "email_code"
  | "invitation"
  | "password_changed"
  | "new_device";

/** A mail that is to be sent, as the directory keeps it: no token, no secret, no text. */
export interface OutboxMail {
  /** UUIDv7; the same however often it is tried. */
  readonly id: string;
  readonly purpose: MailPurpose;
  /** Whom it is for; null where they have no account (yet): `detail` then says where the address lies, or nothing is sent. */
  readonly userId: string | null;
  /** BCP 47 language tag, or null. */
  readonly locale: string | null;
  /** JSON of what else the sender has to know, without a secret; null where nothing. */
  readonly detail: string | null;
  /** How often it was claimed. */
  readonly attempts: number;
  /** Nobody claims it before. */
  readonly nextAttemptAt: Date;
  readonly createdAt: Date;
}
