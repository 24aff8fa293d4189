export declare const clientId: string;
export declare const clientSecret: string;
