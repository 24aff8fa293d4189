import type { Auth } from "latchkey";

/** A JSON Schema, as far as the page reads it. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** An operation, as far as the page reads it. */
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly requestBody?: { readonly content: Content };
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

/** An OpenAPI document, as far as the page reads it. */
export interface OpenApi {
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, { readonly name?: string }>>;
  };
}

/** One operation, and where it is. */
export interface Placed {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** Asks the server for its own OpenAPI document, as any client would. */
export async function readDocument(auth: Auth): Promise<OpenApi> {
  const { origin, basePath } = auth.config;
  const response = await auth.handle(new Request(`${origin}${basePath}/openapi.json`), { ip: null });
  if (response?.status !== 200) throw new Error(`the OpenAPI document cannot be read: ${response?.status}`);
  return response.json() as Promise<OpenApi>;
}

/** The operations of a tag, in the document's order. */
export function operationsOf({ paths }: OpenApi, tag: string): readonly Placed[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .map(([method, operation]) => ({ method: method.toUpperCase(), path, operation }))
      .filter(({ operation }) => operation.tags.includes(tag)),
  );
}

/** The schema of a JSON body; null where there is none. */
export function jsonOf(holder: { readonly content?: Content } | undefined): Schema | null {
  return holder?.content?.["application/json"]?.schema ?? null;
}
