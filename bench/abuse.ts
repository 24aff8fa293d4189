import { scenes } from "./abuse/scenes.ts";
import type { Effort } from "./effort.ts";
import type { Row } from "./table.ts";

/** What attackers get of an account, and what that costs its owner: simulated with the limits as they come, in no time. */
export async function* abuse({ rounds }: Effort): AsyncIterable<Row> {
  const scale =
    rounds > 1
      ? { days: 7, accounts: 500, attackers: 20, people: 200 }
      : { days: 1, accounts: 50, attackers: 5, people: 20 };
  for (const [name, play] of Object.entries(scenes)) {
    const { sent, mostOnOneAccount, mostInOneDay, known, fresh } = await play(scale);
    yield {
      traffic: name,
      days: scale.days,
      "guesses sent": sent,
      "most tested on one account": mostOnOneAccount,
      "in one day": mostInOneDay,
      "sign-ins in a known browser": known.tried,
      denied: known.denied,
      "in a new one": fresh.tried,
      "of these denied": fresh.denied,
    };
  }
}
