import type { Hono } from "hono";

export type { Context } from "hono";
export declare const app: Hono;
