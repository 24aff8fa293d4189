/** How much of everything: `--quick` shows that it runs, the default is what figures are quoted from. */
export interface Effort {
  /** Times that contenders take turns; medians are printed. */
  readonly rounds: number;
  /** Seconds of load in one turn. */
  readonly seconds: number;
  readonly manySessions: number;
  /** Names of the stores that `stores` measures, as in `postgres`; none: all of them. */
  readonly onlyStores: readonly string[];
  /** How many sessions `stores` measures them with; none: 10,000, 100,000 and so on up to {@link manySessions}. */
  readonly storeSizes: readonly number[];
}
