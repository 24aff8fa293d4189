import type { Guard } from "latchkey";

export declare const staff: Guard;
export declare const ordersFor: (userId: string) => readonly unknown[];
