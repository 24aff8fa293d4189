import fc from "fast-check";

// One seed for every run, so that a change is judged by what it changed; `FAST_CHECK_SEED=$RANDOM npm test` explores.
fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20_261_121) });
