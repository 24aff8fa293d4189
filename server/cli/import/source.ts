import type { ImportedLink, ImportRecord } from "latchkey/transfer";
import type { Fields } from "./fields.ts";

/** What is known of a product besides its file. */
export interface SourceContext {
  readonly now: Date;
  /** Of a Firebase project; null where none is set. */
  readonly firebase: FirebaseProject | null;
}

/** The parameters of a Firebase project's hashes. */
export interface FirebaseProject {
  readonly signerKey: string;
  readonly saltSeparator: string;
  readonly rounds: number;
  readonly memCost: number;
}

/** How one product writes its accounts down. */
export interface Source {
  /** Columns of its table in text where that has no head; default null. */
  readonly columns?: readonly string[];
  /** The account of a record; null where it is none, such as a row of another table. */
  read(fields: Fields, context: SourceContext): ImportRecord | null;
}

/** What most products do not say. */
export const unsaid: Omit<ImportRecord, "sourceId" | "email" | "passwordHash" | "createdAt"> = {
  emailVerified: false,
  username: null,
  name: null,
  locale: null,
  isActive: true,
  roles: [],
  permissions: [],
  isSuperuser: false,
  linkedAccounts: [],
};

// As src/providers of the library have them. What Microsoft and Facebook call an account depends on the application.
const issuers: Readonly<Record<string, string>> = {
  apple: "https://appleid.apple.com",
  discord: "https://discord.com",
  github: "https://github.com/login/oauth",
  gitlab: "https://gitlab.com",
  google: "https://accounts.google.com",
};

/**
 * An account at a provider as it is linked here, or null where the provider calls it by another name for each application, or is
 * not known. Products name Google `google`, `google.com`, `google-oauth2` or `google_oauth2`.
 */
export function link(
  provider: string | null,
  subject: string | null,
  email: string | null,
): ImportedLink | null {
  const name = (provider ?? "").toLowerCase().replace(/(\.com|[-_]oauth2)$/, "");
  const issuer = Object.hasOwn(issuers, name) ? issuers[name] : undefined;
  return issuer === undefined || subject === null ? null : { provider: name, issuer, subject, email };
}

/** The links that there are. */
export function links(all: readonly (ImportedLink | null)[]): readonly ImportedLink[] {
  return all.filter((each) => each !== null);
}

/** First and last name in one, or null. */
export function fullName(...parts: readonly (string | null)[]): string | null {
  return parts.filter((part) => part !== null).join(" ") || null;
}
