import { Hono } from "hono";
import { type Auth, type AuthError, type AuthRequest, anyone, type ClientInfo } from "latchkey";
import { showAccount, submitAccount } from "./account/account.ts";
import { showDeleteAccount, submitDeleteAccount } from "./account/delete-account.ts";
import { answer } from "./answer.ts";
import { serveAssets } from "./assets.ts";
import { showDashboard } from "./dashboard.ts";
import { showDevMail, showDevMails } from "./dev-mail.ts";
import { showEndSession, submitEndSession } from "./end-session.ts";
import { type ErrorPageOptions, errorDocument, showUnauthorized } from "./error-page.ts";
import { showStop, stopPath, submitStop } from "./impersonation.ts";
import { showInvite, submitInvite } from "./invite.ts";
import { languages as usualLanguages } from "./language/language.ts";
import { languagePath, showLanguage, submitLanguage } from "./language-switch.ts";
import { showLogin, submitLogin } from "./login.ts";
import { showLogout, submitLogout } from "./logout.ts";
import { showMagic, submitMagic } from "./magic.ts";
import { forAnyone, forGuests, forSignedIn, type PageCall, type PageReply, type PageRow } from "./page.ts";
import { showProblem, showProblems } from "./problems.ts";
import { showRegister, submitRegister } from "./register.ts";
import { showReset, submitReset } from "./reset.ts";
import { lookingAt, type PageOptions, pageRunner, shownOn } from "./run-page.ts";
import { showSetup, submitSetup } from "./setup.ts";
import { spokenTo } from "./speaking.ts";
import { usualTheme } from "./theme/theme.ts";
import { showUndo, submitUndo } from "./undo.ts";
import { showVerify, submitVerify } from "./verify.ts";

export type { PageOptions } from "./run-page.ts";

/**
 * The pages: sign-in, registration, account and what belongs to them, as an app to mount at the root. They work without
 * JavaScript, post to themselves and do everything through `auth`, as the JSON routes do.
 */
export function pages(auth: Auth, options: PageOptions): Hono {
  const app = new Hono();
  serveAssets(app, (options.theme ?? usualTheme).look);
  const run = pageRunner(auth, options);
  for (const row of rows(auth.config)) {
    app.get(row.path, run.show(row));
    if (row.submit !== undefined) app.post(row.path, run.submit(row, row.submit));
    app.all(row.path, run.refuseMethod(row));
  }
  return app;
}

/** A refusal as a page, for whoever answers what no page and no route has answered. @param options - `request`: which it was, so that the page can say who is looking */
export async function errorPage(
  auth: Auth,
  error: AuthError,
  client: ClientInfo,
  {
    request = null,
    languages = usualLanguages(),
    theme = usualTheme,
    ...options
  }: ErrorPageOptions &
    Pick<PageOptions, "languages" | "theme"> & { readonly request?: AuthRequest | null } = {},
): Promise<Response> {
  const { loginPath, cookie } = auth.config;
  const known = request === null ? null : await lookingAt(auth, { request, client }, error);
  const spoken = await spokenTo(request, known, { languages, cookie });
  const document = errorDocument(error, spoken.language, { loginPath, ...options });
  const principal = shownOn(known);
  const query = new URLSearchParams();
  const path = request === null ? "" : new URL(request.url, auth.config.origin).pathname;
  return answer(document, { auth, request, client, path, query, principal, spoken, theme });
}

function rows({ appPath, loginPath }: Auth["config"]): readonly PageRow[] {
  return [
    forGuests(appPath, { path: loginPath, show: showLogin, submit: submitLogin, startsSession: true }),
    forGuests(appPath, {
      path: "/register",
      show: showRegister,
      submit: submitRegister,
      startsSession: true,
    }),
    forAnyone({ path: "/logout", show: showLogout, submit: submitLogout }),
    forSignedIn(
      { path: "/account", show: showAccount, submit: submitAccount },
      { whilePasswordChange: true },
    ),
    forSignedIn({ path: "/account/delete", show: showDeleteAccount, submit: submitDeleteAccount }),
    forSignedIn({ path: appPath, show: showDashboard }),
    forAnyone({ path: "/setup", show: showSetup, submit: submitSetup, startsSession: true }),
    forAnyone({ path: "/reset", show: showReset, submit: submitReset }),
    forAnyone({ path: "/magic", show: showMagic, submit: submitMagic, startsSession: true }),
    forAnyone({ path: "/verify", show: showVerify, submit: submitVerify }),
    forAnyone({ path: "/undo", show: showUndo, submit: submitUndo, startsSession: true }),
    forAnyone({ path: "/end-session", show: showEndSession, submit: submitEndSession, startsSession: true }),
    forAnyone({ path: "/dev/mail", show: showDevMails }),
    forAnyone({ path: "/dev/mail/:number", show: showDevMail }),
    forAnyone({ path: "/invite", show: showInvite, submit: submitInvite, startsSession: true }),
    forSignedIn({ path: stopPath, show: showStop, submit: submitStop }, { whilePasswordChange: true }),
    forAnyone({ path: "/unauthorized", show: showUnauthorized }),
    forAnyone({ path: "/problems", show: showProblems }),
    forAnyone({ path: "/problems/:code", show: showProblem }),
    { path: languagePath, guards: [byOwnPages], show: showLanguage, submit: submitLanguage },
    // Last: either of the configured paths may be the root itself.
    forAnyone({ path: "/", show: home }),
  ];
}

// As a sign-in: its form has no CSRF token, and whoever has signed in since in another tab is not asked for one either.
const byOwnPages = anyone({ whilePasswordChange: true, startsSession: true });

function home({ auth, principal }: PageCall): PageReply {
  const { appPath, loginPath } = auth.config;
  return { kind: "redirect", status: 302, to: principal.isAuthenticated ? appPath : loginPath };
}
