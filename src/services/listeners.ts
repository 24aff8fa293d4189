import type { AuthEvent, EventOf, EventType } from "../domain/event.ts";
import type { Listener } from "./events.ts";

/** Subscriptions to events; listeners hear them after the change was committed. */
export interface EventSubscriptions {
  /** Calls `listener` at each event of a type (`*`: of every type). @returns ends the subscription */
  on<T extends EventType>(type: T, listener: (event: EventOf<T>) => unknown): () => void;
  on(type: "*", listener: (event: AuthEvent) => unknown): () => void;
}

/** Who is told of events, and how others join them. */
export interface Listeners {
  readonly all: ReadonlySet<Listener>;
  readonly on: EventSubscriptions["on"];
}

/** A list of listeners that begins with `first`. */
export function listenerList(first: readonly Listener[]): Listeners {
  const all = new Set<Listener>(first);
  return {
    all,
    on(type: EventType | "*", listener: (event: never) => unknown) {
      const hears = listener as Listener;
      const heard: Listener = (event) => (type === "*" || event.type === type ? hears(event) : undefined);
      all.add(heard);
      return () => all.delete(heard);
    },
  };
}
