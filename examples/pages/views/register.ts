import { html } from "hono/html";
import { AuthError, type FieldError } from "latchkey";
import type { Site, View } from "../site.ts";
import { field, type Html } from "./layout.ts";
import { text } from "./login.ts";

/** The registration page and its form. */
export function registerView({ auth, visit, layout }: Site): View {
  const { appPath, loginPath } = auth.config;
  return {
    show: (c, principal, session) => c.html(layout({ principal, session }, "Register", form(loginPath))),

    async submit(c, principal, session) {
      const sent = await c.req.parseBody();
      const email = text(sent.email).trim();
      const typed = { email, name: text(sent.name), password: text(sent.password) };
      const again = (status: 400 | 409, errors: readonly FieldError[]) =>
        c.html(layout({ principal, session }, "Register", form(loginPath, typed, errors)), status);
      // Everything that is wrong, at once.
      const errors = [...(await auth.users.registrationErrors(typed))].map(shortPassword);
      if (typed.password !== text(sent.confirm_password)) errors.push(mismatch);
      if (errors.length > 0) return again(400, errors);
      try {
        const { signIn } = await auth.users.register(typed, visit(c));
        const response = c.redirect(appPath, 303);
        return signIn === null ? response : auth.seal(response, signIn.change);
      } catch (error) {
        if (!(error instanceof AuthError) || error.code !== "email_taken") throw error;
        return again(409, [{ field: "email", code: error.code, message: error.message }]);
      }
    },
  };
}

const mismatch = { field: "confirm_password", code: "mismatch", message: "Passwords do not match" };

// One sentence for no password and for a short one.
function shortPassword(error: FieldError): FieldError {
  const isMissing = error.field === "password" && error.code === "required";
  return isMissing ? { ...error, message: "Password must be at least 8 characters" } : error;
}

function form(loginPath: string, typed = { email: "", name: "" }, errors: readonly FieldError[] = []): Html {
  const { email, name } = typed;
  const errorOf = (wanted: string) => errors.find(({ field }) => field === wanted)?.message;
  return html`<form class="card" method="post" action="/register" novalidate>
${field({ name: "email", label: "Email", type: "email", autocomplete: "email", value: email, error: errorOf("email") })}
${field({ name: "name", label: "Name", autocomplete: "name", value: name, error: errorOf("name") })}
${field({ name: "password", label: "Password", type: "password", autocomplete: "new-password", error: errorOf("password") })}
${field({ name: "confirm_password", label: "Confirm password", type: "password", autocomplete: "new-password", error: errorOf("confirm_password") })}
<button>Register</button>
<p>Have an account? <a href="${loginPath}">Login</a></p>
</form>`;
}
