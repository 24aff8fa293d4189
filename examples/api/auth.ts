import { type Auth, createAuth, passwords } from "latchkey";
import { administration } from "latchkey/administration";
import { type Tokens, tokens } from "latchkey/tokens";
import { type Members, memberOf, openMembers } from "./members.ts";
import { refusal } from "./refusals.ts";
import { number, secret, setting } from "./settings.ts";
import { openStores } from "./stores.ts";

/** Everything that the routes work with. */
export interface House {
  readonly auth: Auth;
  readonly access: Tokens;
  readonly members: Members;
  /** What administrators do. Its callers decide who is one. */
  readonly operator: ReturnType<typeof operatorOf>;
  close(): Promise<void>;
}

const admin = administration();

export async function openHouse(origin: string, folder: string): Promise<House> {
  const { stores, close } = await openStores(folder);
  const members = openMembers(folder);
  const access = tokens({
    refresh: false,
    expiresInMinutes: number("TOKEN_EXPIRES_IN", 60),
    claims(user) {
      const { id, email, name, role } = memberOf(members, user);
      return { user_id: id, email, name, role };
    },
  });
  const auth = createAuth({
    origin,
    secrets: [secret(folder)],
    stores,
    features: [passwords(), access, admin],
    roles: { admin: ["member:delete"] },
    signInAfterRegistration: false,
    session: { idleSeconds: number("SESSION_LIFETIME", 3600) },
    cookie: { name: setting("SESSION_NAME", "latchkey") },
    onError: refusal,
  });
  return {
    auth,
    access: auth.use(access),
    members,
    operator: operatorOf(auth),
    async close() {
      await auth.close();
      members.close();
      await close();
    },
  };
}

function operatorOf(auth: Auth) {
  return auth.use(admin).operator;
}
