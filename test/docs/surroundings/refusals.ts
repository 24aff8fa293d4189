export declare const invoiceOf: (path: string) => Promise<{ readonly ownerId: string } | null>;
