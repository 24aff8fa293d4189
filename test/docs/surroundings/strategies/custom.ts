import type { AuthRequest, Handler, SignedIn, User } from "latchkey";

export { it } from "vitest";
export declare const ownerOf: (token: string) => Promise<User | null>;
export declare const tokenFor: (userId: string) => Promise<string>;
export declare const service: { stop(): Promise<void> };
export declare const report: Handler<AuthRequest, SignedIn>;
