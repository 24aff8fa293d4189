/** A session token that came by other means than the cookie. */
export declare const token: string;
