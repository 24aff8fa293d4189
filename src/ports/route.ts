import type { Principal } from "../domain/principal.ts";
import type { ErrorCode } from "../errors.ts";
import type { SessionChange } from "./change.ts";
import type { Guard } from "./guard.ts";
import type { ClientInfo, RouteRequest } from "./request.ts";

/** The part of Standard Schema that routes use; zod, valibot and others have it. @see https://standardschema.dev */
export interface InputSchema<T = unknown> {
  readonly "~standard": {
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
  };
}

type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A request to one of Latchkey's own routes, past the pipeline. */
export interface RouteCall<Input> {
  /** What the route's schema made of the body; anything it does not name is gone. */
  readonly input: Input;
  /** Values of the path's `{names}`. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly principal: Principal;
  readonly request: RouteRequest;
  readonly client: Required<ClientInfo>;
}

/** What a route answers. */
export interface Reply {
  readonly status: number;
  /** JSON; absent for an empty body. */
  readonly body?: unknown;
  /**
   * Where the browser goes on. With status 200 it goes there from an empty page of this origin and not by a redirect: what
   * another site's page led to carries no cookie with `SameSite=Strict`, and a redirected form is held to the page's `form-action`.
   */
  readonly location?: string;
  /** A text to be saved, in place of `body`. */
  readonly file?: ReplyFile;
  readonly change?: SessionChange;
}

/** A text that an answer hands over for saving. */
export interface ReplyFile {
  readonly name: string;
  /** Media type, charset included. */
  readonly type: string;
  readonly text: string;
  /** Query parameters with which the same route gives what follows; absent: this is the end. Sent as `Link: …; rel="next"`. */
  readonly next?: Readonly<Record<string, string>>;
}

/** One row of the table of routes: everything the pipeline and the OpenAPI document need to know of it. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the base path (or at the root with `isAtRoot`), `{name}` for a variable segment. */
  readonly path: string;
  readonly isAtRoot?: boolean;
  /** One line for the OpenAPI document. */
  readonly summary: string;
  readonly guards: readonly Guard[];
  readonly limit?: { readonly name: string; readonly limit: number; readonly windowSeconds: number };
  /** Only the origin is checked, since there is no session yet. Default false. */
  readonly startsSession?: boolean;
  /** Answers what another site posts, and changes nothing: neither CSRF stage applies. Default false. */
  readonly changesNothing?: boolean;
  /** No proof is looked at, whatever is sent: the answer is the same for everybody, and no store is asked. Default false. */
  readonly looksAtNobody?: boolean;
  /** What its handler refuses with, for the OpenAPI document, besides what the pipeline does. Default none named. */
  readonly refuses?: readonly ErrorCode[];
  /** Schema of the body; absent: the body is not read. */
  readonly input?: InputSchema;
  /** Status and JSON Schema of each good answer; null for an empty body. */
  readonly answers: Readonly<Record<number, (() => JsonSchema) | null>>;
  /** JSON Schema of the body; made only when somebody asks for the OpenAPI document. */
  readonly inputJsonSchema?: () => JsonSchema;
  readonly handle: (call: RouteCall<unknown>) => Promise<Reply>;
}

/** A JSON Schema (2020-12), as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;
