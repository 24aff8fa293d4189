import { AuthError, foreignUser, type Strategy, signedInAs } from "latchkey";

/** Whoever the token stands for lives in another system: Latchkey has no row for them. */
const customUser = foreignUser({ id: "1", username: "custom_user", roles: ["admin"] });

/** A proof of one's own: `X-Custom-Auth: valid-token`. */
export const customAuth: Strategy = {
  name: "custom",
  // No browser sends this header by itself, so there is no CSRF token to ask for.
  ambient: false,
  challenge: "X-Custom-Auth",
  authenticate(request) {
    const token = request.headers.get("x-custom-auth");
    if (!token) return { kind: "absent" };
    // Yours would ask a database or another service here.
    if (token !== "valid-token") return { kind: "rejected", error: new AuthError("not_authenticated") };
    const proof = { via: "custom", amr: [], authTime: new Date(0), sessionId: null, scopes: null };
    return { kind: "accepted", principal: signedInAs(customUser, proof) };
  },
};
