/** One step of the schema. What was released is never edited: a database that ran it would differ from a fresh one. */
export interface Migration {
  /** 1, 2, 3, … without gaps. */
  readonly number: number;
  readonly name: string;
  /** Statements that make the step. Run in one transaction, so nothing of them stays where one fails. */
  readonly up: string;
  /** Statements that take it back. */
  readonly down: string;
}
