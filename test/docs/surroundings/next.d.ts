// Next is installed for its own test alone; these are its names as far as pages of the documents import them.
declare module "next/headers" {
  import type { NextCookieJar, NextHeaders } from "latchkey/next";
  export function headers(): Promise<NextHeaders>;
  export function cookies(): Promise<NextCookieJar>;
}

declare module "next/navigation" {
  export function redirect(path: string): never;
}

declare module "next/server" {
  export const NextResponse: { next(): Response };
}
