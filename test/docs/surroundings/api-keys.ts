import type { User } from "latchkey";

export declare const list: (user: User) => Promise<Response>;
