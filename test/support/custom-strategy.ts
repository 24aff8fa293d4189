import { AuthError, type DirectoryStore, type Outcome, type Strategy, signedInAs } from "../../src/index.ts";

/** Who a token of the example stands for: its own service, beside Latchkey's stores. */
export interface CustomTokens {
  /** The user's id, or null for a token that it does not know. */
  ownerOf(token: string): Promise<string | null>;
}

/** Tokens that `X-Custom-Auth: valid-<token>` may hold; anything else in the header begins with another word and is somebody else's. */
const shape = /^valid-([a-z0-9]{1,64})$/;

/** The example of the documentation: a strategy of an application's own. */
export function customAuth(tokens: CustomTokens, directory: DirectoryStore, now: () => Date): Strategy {
  return {
    name: "custom",
    ambient: false,
    challenge: "X-Custom-Auth",
    async authenticate(request): Promise<Outcome> {
      const header = request.headers.get("x-custom-auth");
      if (!header?.startsWith("valid-")) return { kind: "absent" };
      const [, token] = shape.exec(header) ?? [];
      const user = token === undefined ? null : await owner(token);
      if (user?.status !== "active") return { kind: "rejected", error: new AuthError("not_authenticated") };
      const proof = { via: "custom", amr: [], authTime: now(), sessionId: null, scopes: null };
      return { kind: "accepted", principal: signedInAs(user, proof) };
    },
  };

  async function owner(token: string) {
    try {
      const userId = await tokens.ownerOf(token);
      return userId === null
        ? null
        : await directory.user(userId, { now: now(), signal: AbortSignal.timeout(1_000) });
    } catch (cause) {
      throw new AuthError("store_unavailable", { cause });
    }
  }
}
