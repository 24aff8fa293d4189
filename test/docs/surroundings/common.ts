// What code on every page may take for granted: everything of `latchkey`, an `Auth`, and some application around it.
import type {
  Auth,
  AuthRequest,
  Bound,
  ClientInfo,
  Handler,
  Principal,
  SignedIn,
  Stores,
  User,
} from "latchkey";

export * from "latchkey";

export declare const auth: Auth;
export declare const protect: Auth["protect"];
/** An application of any framework: `protect` gives what its routes take. */
export declare const app: Record<
  "get" | "post" | "put" | "patch" | "delete",
  (path: string, handler: Bound<AuthRequest>) => void
>;
export declare const handler: Handler<AuthRequest, SignedIn>;
export declare const openHandler: Handler<AuthRequest, Principal>;

export declare const origin: string;
export declare const secrets: readonly [string, ...string[]];
export declare const stores: Stores;

export declare const request: Request;
export declare const client: ClientInfo;
export declare const principal: Principal;
export declare const user: User;
export declare const userId: string;
export declare const sessionId: string;
export declare const email: string;
export declare const password: string;
