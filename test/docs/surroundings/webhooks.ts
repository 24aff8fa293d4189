export declare const billing: { note(id: string, type: string, userId: string | null): Promise<void> };
