/**
 * The database's schema and this program do not go together. `message` is for the operator: it says what was found and
 * what to do.
 */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
}
