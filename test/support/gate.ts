/** A place where work waits until a test lets it on. */
export interface Gate {
  /** Resolves when somebody has arrived. */
  readonly reached: Promise<void>;
  /** Waits until `open`. */
  pass(): Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let arrive = (): void => {};
  let open = (): void => {};
  const reached = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    reached,
    open,
    pass() {
      arrive();
      return opened;
    },
  };
}
