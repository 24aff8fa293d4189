import { html } from "hono/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { AuthError, nextPath } from "latchkey";
import type { Site, View } from "../site.ts";
import { field, type Html } from "./layout.ts";

/** The sign-in page and its form. */
export function loginView({ auth, visit, layout }: Site): View {
  const { origin, appPath } = auth.config;
  return {
    show: (c, principal, session) => c.html(layout({ principal, session }, "Login", form())),

    async submit(c, principal, session) {
      const { email, password, remember } = await c.req.parseBody();
      // Only ever a path of this site, whatever the address says.
      const next = nextPath(c.req.query("next"), origin) ?? appPath;
      try {
        const input = { identifier: text(email), password: text(password), isRemembered: remember === "on" };
        // Looks up, verifies, replaces an outdated hash, counts failures and starts the session.
        const { change } = await auth.users.login(input, visit(c));
        return auth.seal(c.redirect(next, 303), change);
      } catch (error) {
        if (!(error instanceof AuthError)) throw error;
        if (error.retryAfterSeconds !== null) c.header("Retry-After", String(error.retryAfterSeconds));
        const page = layout({ principal, session }, "Login", form(text(email), error.message));
        return c.html(page, error.status as ContentfulStatusCode);
      }
    },
  };
}

// Without an `action` the form goes where the page came from, `next` included.
function form(email = "", error?: string): Html {
  return html`<form class="card" method="post" novalidate>
${error === undefined ? "" : html`<p class="error" role="alert">${error}</p>`}
${field({ name: "email", label: "Email", type: "email", autocomplete: "username", value: email })}
${field({ name: "password", label: "Password", type: "password", autocomplete: "current-password" })}
<label class="check"><input type="checkbox" name="remember"> Remember me</label>
<button>Login</button>
<p>New here? <a href="/register">Register</a></p>
</form>`;
}

/** A field that was sent once, as text. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
