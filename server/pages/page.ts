import type {
  ApiKeys,
  Auth,
  AuthError,
  AuthRequest,
  ClientInfo,
  Guard,
  Principal,
  SessionChange,
  SignedIn,
  WhoOptions,
} from "latchkey";
import { anyone, guard, signedIn, skipIfAuthenticated } from "latchkey";
import type { Administration } from "latchkey/administration";
import type { Mail } from "latchkey/mail";
import type { OAuth } from "latchkey/oauth";
import type { ShownMails } from "../mail/shown-mails.ts";
import type { Html } from "./html.ts";
import type { ChosenLocale } from "./language/choose-locale.ts";
import type { Language, Languages } from "./language/language.ts";

/** The fields of a posted form, each of which was sent once. */
export type Fields = Readonly<Record<string, string>>;

/** A request to a page. Its body is read at most once, for the CSRF field and the form alike. */
export interface PageRequest extends AuthRequest {
  /**
   * The form that was posted.
   *
   * @throws AuthError `unsupported_media_type`, `payload_too_large`, `malformed_request`, `invalid_input` - a field given
   * twice or with characters that cannot be used
   */
  fields(): Promise<Fields>;
}

/** A request to a page, past the pipeline, and what pages work with. */
export interface PageCall<P extends Principal = Principal> {
  readonly auth: Auth;
  /** Sign-in with providers; null where there is none. */
  readonly oauth: OAuth | null;
  /** API keys; null where there are none. */
  readonly apiKeys: ApiKeys | null;
  /** Invitations, and acting in somebody's place; null where there is none of it. */
  readonly administration: Administration | null;
  /** Mail; null where there is none. */
  readonly mail: Mail | null;
  /** Mails that are shown to the developer instead of being sent; null where they are sent. */
  readonly shownMails: ShownMails | null;
  /** Path of what says what every route does; null where there is nothing of it. */
  readonly apiReference: string | null;
  /** Handed on to the flows; carries the session that a flow of this request has already begun. */
  readonly visit: { readonly request: PageRequest; readonly client: ClientInfo };
  readonly path: string;
  readonly query: URLSearchParams;
  readonly principal: P;
  /** In which the page is written. */
  readonly language: Language;
  /** Who said so. */
  readonly localeBy: ChosenLocale["by"];
  /** The others that there are. */
  readonly languages: Languages;
  readonly now: Date;
  /**
   * Notes what the browser has to be told whatever becomes of the rest: a session that got a new id is lost to who does
   * not learn it, also where what followed was refused or failed.
   */
  readonly keep: (change: SessionChange) => void;
}

/** What a page answers. */
export type PageReply = DocumentReply | RedirectReply;

/** The pages by the name under which a template can replace one. */
export const pageNames = [
  "account",
  "dashboard",
  "delete-account",
  "end-session",
  "error",
  "invite",
  "login",
  "logout",
  "magic",
  "onward",
  "problem",
  "problems",
  "register",
  "reset",
  "setup",
  "undo",
  "verify",
] as const;

/** One of {@link pageNames}; null for a page that is the developer's alone. */
export type PageName = (typeof pageNames)[number] | null;

/** A document in its parts: where they stand is for the template to say, or for the usual arrangement. */
export interface DocumentReply {
  readonly kind: "document";
  readonly page: PageName;
  /** Default 200; a refusal's own where there is one. */
  readonly status?: number;
  /** What the page is, without the name of the site. */
  readonly title: string;
  /** Default: the title. */
  readonly heading?: string | Html;
  /** Whether it has the whole width, not a card in the middle. Default false. */
  readonly isWide?: boolean;
  /** Before the heading. */
  readonly above?: Html;
  /** What it is about. */
  readonly lead?: Html;
  /** What went wrong, or was just done. */
  readonly messages?: Html;
  /** What can be done here: forms, buttons, links. */
  readonly form?: Html;
  /** What else one may want. */
  readonly aside?: Html;
  /** Language of the parts, where it is not the page's. */
  readonly lang?: string;
  /** The refusal that the document tells of: it gives status and headers. */
  readonly error?: AuthError;
  /** Where the browser goes on by itself, if anywhere: another site, which a form's answer may not redirect to (`form-action`). */
  readonly goesOnTo?: string;
  readonly change?: SessionChange | undefined;
}

/** On to another page: 303 after a post, 302 where a page sends its reader elsewhere. */
export interface RedirectReply {
  readonly kind: "redirect";
  readonly status: 302 | 303;
  /** A path of this origin. */
  readonly to: string;
  readonly change?: SessionChange | undefined;
}

/** Answers a request to a page. What it throws becomes an error page. */
export type PageHandler<P extends Principal = Principal> = (
  call: PageCall<P>,
) => PageReply | Promise<PageReply>;

/** One page: who may see it, how it is shown and what its form does. */
export interface PageRow {
  readonly path: string;
  readonly guards: readonly Guard[];
  readonly show: PageHandler;
  /** Absent: the page has no form, and a POST is answered with 405. */
  readonly submit?: PageHandler;
  /**
   * Whether posting starts a session: then the flow itself checks the origin, and no CSRF token is asked for, since there
   * is no session yet that one could belong to.
   */
  readonly startsSession?: boolean;
}

/** A page that everybody sees. */
export function forAnyone(row: Omit<PageRow, "guards">): PageRow {
  return { ...row, guards: [anyone({ whilePasswordChange: true })] };
}

/** A page for who is not signed in; others are sent to `appPath`. */
export function forGuests(appPath: string, row: Omit<PageRow, "guards">): PageRow {
  return { ...row, guards: [skipIfAuthenticated(appPath)] };
}

/**
 * A page for who is signed in; others are sent to the sign-in page, and back.
 *
 * @param options - `whilePasswordChange`: also for who has to choose another password first, and is sent there from every other page
 */
export function forSignedIn(
  row: {
    readonly path: string;
    readonly show: PageHandler<SignedIn>;
    readonly submit?: PageHandler<SignedIn>;
  },
  options: WhoOptions = {},
): PageRow {
  // The guards have let nobody else through.
  return { ...row, guards: [signedIn(options), unrestricted] } as PageRow;
}

// What belongs to the account is no business of a program that was given a key.
const unrestricted = guard(
  "unrestricted",
  (principal) => principal.isAuthenticated && principal.scopes === null,
);

/** On after a post, so that reloading repeats nothing. @see RFC 9110, section 15.4.4 */
export function seeOther(to: string, change?: SessionChange | null): RedirectReply {
  return { kind: "redirect", status: 303, to, change: change ?? undefined };
}
