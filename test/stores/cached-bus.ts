import type { Changes, InvalidationChannel } from "../../src/stores/cached.ts";

/** Channels that a test holds in its hand: what is told arrives when the test says so. */
export interface Bus {
  channel(): TestChannel;
  /** Everything that was told and not lost arrives. */
  deliver(): void;
}

/** One process's end of a {@link Bus}. */
export interface TestChannel extends InvalidationChannel {
  /** From here on neither what others tell nor what this one tells arrives. */
  cut(): void;
  /** Makes it up: whoever may have missed something forgets everything, as `linkedChannel` has it. */
  mend(): void;
  readonly told: readonly Changes[];
}

/** Makes a {@link Bus}. */
export function bus(): Bus {
  const ends = new Set<(changes: Changes, from: unknown) => void>();
  const forgetters = new Set<() => void>();
  let queue: (() => void)[] = [];
  return {
    deliver() {
      const due = queue;
      queue = [];
      for (const arrive of due) arrive();
    },
    channel() {
      const told: Changes[] = [];
      let isCut = false;
      let hasLost = false;
      let hear: (changes: Changes) => void = () => undefined;
      const self: TestChannel = {
        told,
        open(listener) {
          hear = listener;
          forgetters.add(() => listener("everything"));
          ends.add((changes, from) => {
            if (from !== self && !isCut) listener(changes);
          });
        },
        tell(changes) {
          told.push(changes);
          if (isCut) hasLost = true;
          else queue.push(() => ends.forEach((arrive) => void arrive(changes, self)));
        },
        async close() {},
        cut() {
          isCut = true;
        },
        mend() {
          isCut = false;
          hear("everything");
          // The others see the gap in its numbers.
          if (hasLost) for (const forget of forgetters) forget();
          hasLost = false;
        },
      };
      return self;
    },
  };
}
