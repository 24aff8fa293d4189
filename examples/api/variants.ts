import type { SignedIn } from "latchkey";
import type { NodeAdapter, NodeHandler } from "latchkey/node";
import type { House } from "./auth.ts";
import { fieldsOf, json } from "./http.ts";

/** The first, shorter versions of the same routes, under `/v1`. */
export function variants({ auth, access, members }: House, { visit }: NodeAdapter) {
  const register: NodeHandler<unknown> = async (req, res) => {
    const { name = "", email = "", password = "" } = await fieldsOf(req);
    if (name === "" || email === "" || password === "")
      return json(res, { error: "Name, email, and password are required" }, 400);
    const [wrong] = await auth.users.registrationErrors({ name, email, password });
    if (wrong !== undefined) return json(res, { error: wrong.message }, 400);
    const { user } = await auth.users.register({ name, email, password }, visit(req));
    const id = user && members.numberOf(user.id);
    json(res, { message: "Registration successful", user: { id, name, email } }, 201);
  };

  const login: NodeHandler<unknown> = async (req, res) => {
    const { email = "", password = "" } = await fieldsOf(req);
    if (email === "" || password === "") return json(res, { error: "Email and password are required" }, 400);
    const tokenSession = { ttlSeconds: access.sessionTtlSeconds };
    const input = { identifier: email, password };
    const { user, session } = await auth.users.login(input, visit(req), { tokenSession });
    const { accessToken: token } = await access.issue(user.id, { sessionId: session.id });
    const member = { id: members.numberOf(user.id), name: user.name, email: user.email };
    json(res, { message: "Login successful", token, user: member });
  };

  const profile: NodeHandler<SignedIn> = (_req, res, { user }) =>
    json(res, { user_id: members.numberOf(user.id), email: user.email, name: user.name });

  return { register, login, profile };
}
