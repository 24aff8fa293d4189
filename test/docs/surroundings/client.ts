import type { ClientUser } from "latchkey/client";

export declare const draw: (user: ClientUser | null) => void;
export declare const show: (message: string) => void;
