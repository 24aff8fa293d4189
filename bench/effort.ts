/** How much of everything: `--quick` shows that it runs, the default is what figures are quoted from. */
export interface Effort {
  /** Times that contenders take turns; medians are printed. */
  readonly rounds: number;
  /** Seconds of load in one turn. */
  readonly seconds: number;
  readonly manySessions: number;
}
