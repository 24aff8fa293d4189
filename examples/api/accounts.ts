import { AuthError, type SignedIn } from "latchkey";
import type { NodeAdapter, NodeHandler } from "latchkey/node";
import type { House } from "./auth.ts";
import { fieldsOf, json } from "./http.ts";
import { memberOf } from "./members.ts";

/** How old a sign-in may be for moving an account to another address. */
const freshMs = 600_000;

/** Registering, signing in, the profile, the password. */
export function accounts({ auth, access, members, operator }: House, { visit }: NodeAdapter) {
  const register: NodeHandler<unknown> = async (req, res) => {
    const { name = "", email = "", password = "" } = await fieldsOf(req);
    const registration = { name, email, password };
    const wrong = (await auth.users.registrationErrors(registration)).map(({ message }) => message);
    const errors = [...(name.trim() === "" ? ["Name is required"] : []), ...wrong];
    if (errors.length > 0) return json(res, { errors }, 400);
    const { user } = await auth.users.register(registration, visit(req));
    if (user === null) throw new AuthError("internal_error", { diagnosis: "registration waits for a mail" });
    json(res, { message: "Registration successful", user: memberOf(members, user) }, 201);
  };

  const login: NodeHandler<unknown> = async (req, res) => {
    const { email = "", password = "" } = await fieldsOf(req);
    if (email === "" || password === "") return json(res, { error: "Email and password are required" }, 400);
    const tokenSession = { ttlSeconds: access.sessionTtlSeconds };
    const input = { identifier: email, password };
    const { user, session } = await auth.users.login(input, visit(req), { tokenSession });
    const { accessToken } = await access.issue(user.id, { sessionId: session.id });
    const { created_at: _, ...member } = memberOf(members, user);
    json(res, { message: "Login successful", token: accessToken, user: member });
  };

  const profile: NodeHandler<SignedIn> = (_req, res, { user }) => json(res, memberOf(members, user));

  const updateProfile: NodeHandler<SignedIn> = async (req, res, principal) => {
    const { name, email } = await fieldsOf(req);
    const changes = { ...(name !== undefined && { name }), ...(email !== undefined && { email }) };
    const isMoving = email !== undefined && email !== principal.user.email;
    // Whoever has the mailbox has the account: a token that leaked yesterday must not move it to another.
    if (isMoving && Date.now() - principal.authTime.getTime() > freshMs)
      throw new AuthError("fresh_auth_required", { message: "Please login again to change your email" });
    const user = await operator.change(principal.user.id, changes).catch(inUse);
    // Moving ends every session: a new one goes with the answer.
    if (isMoving) res.setHeader("X-Token", (await access.issue(user.id)).accessToken);
    json(res, { message: "Profile updated", user: memberOf(members, user) });
  };

  const changePassword: NodeHandler<SignedIn> = async (req, res, { user }) => {
    const { current_password: current = "", new_password: next = "" } = await fieldsOf(req);
    if (current === "" || next === "")
      return json(res, { error: "Current password and new password are required" }, 400);
    if ((await auth.users.passwordErrors(next, user)).some(({ code }) => code === "too_short"))
      return json(res, { error: "New password must be at least 8 characters" }, 400);
    const { session } = await auth.users.changePassword({ current, next }, visit(req)).catch(incorrect);
    // Every token from before is refused now, the caller's own too: the next one goes with the answer.
    const { accessToken } = await access.issue(user.id, { sessionId: session.id });
    res.setHeader("X-Token", accessToken);
    json(res, { message: "Password changed successfully" });
  };

  return { register, login, profile, updateProfile, changePassword };
}

function inUse(error: unknown): never {
  if (!(error instanceof AuthError) || error.code !== "email_taken") throw error;
  throw new AuthError("email_taken", { message: "Email already in use by another account" });
}

function incorrect(error: unknown): never {
  if (!(error instanceof AuthError) || error.code !== "invalid_credentials") throw error;
  throw new AuthError("invalid_credentials", { message: "Current password is incorrect" });
}
