export declare const show: (message: string) => void;
