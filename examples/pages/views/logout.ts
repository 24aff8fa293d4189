import { html } from "hono/html";
import { wantsPage } from "latchkey";
import type { Site, View } from "../site.ts";
import { csrfField } from "./layout.ts";

/** The page that the link in the header leads to: with a button, since another site can follow a link for its visitors. */
export function logoutView({ auth, visit, layout }: Site): View {
  const { basePath, loginPath } = auth.config;
  return {
    async show(c, principal, session) {
      const token = await auth.sessions.csrfToken(visit(c));
      const main = html`<form method="post" action="/logout">${csrfField(token)}<button>Logout</button></form>`;
      return c.html(layout({ principal, session }, "Logout", main));
    },

    async submit(c) {
      const { change } = await auth.sessions.logout(visit(c));
      const isForm = wantsPage(c.req.raw, basePath);
      return auth.seal(isForm ? c.redirect(loginPath, 303) : c.json({ ok: true }), change);
    },
  };
}
