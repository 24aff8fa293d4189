import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { NextResponse } from "next/server";

const nextParts = { cookies, headers, redirect, NextResponse };

type Route = (request: Request, context: unknown) => Promise<Response>;
type Scene = (parts: typeof nextParts) => Readonly<Record<string, Route>>;

/** A route that the test of this process has made, with what Next gives to the code that it has bundled. */
export function route(name: string): Route {
  return async (request, context) => {
    const { [Symbol.for("latchkey.next-app")]: scene } = globalThis as unknown as Record<symbol, Scene>;
    const found = scene(nextParts)[name];
    return found === undefined ? new Response(`no route ${name}`, { status: 500 }) : found(request, context);
  };
}
