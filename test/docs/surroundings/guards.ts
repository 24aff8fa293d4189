interface Invoice {
  readonly ownerId: string;
}

export declare const invoiceOf: (path: string) => Promise<Invoice | null>;
export declare const ownerOfInvoice: () => Promise<string | null>;
