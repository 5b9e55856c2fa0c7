import { writeSync } from "node:fs";

/** Where the aggregator can kill itself: the fail points of the store, and after each page but the last. */
export const DEATHS = ["before-commit", "staged", "made", "after-commit", "between-pages"] as const;

/** One of {@link DEATHS}. */
export type DeathPlace = (typeof DEATHS)[number];

/** A fail point, and how often it is passed before. */
export interface Death {
  readonly place: DeathPlace;
  readonly passes: number;
}

/** Kills this process with SIGKILL when it has passed a fail point the given number of times. */
export class Reaper {
  #left: number;
  readonly #place: DeathPlace | undefined;

  constructor(death: Death | undefined) {
    this.#place = death?.place;
    this.#left = death?.passes ?? 0;
  }

  at(place: DeathPlace): void {
    if (place !== this.#place) return;
    this.#left -= 1;
    if (this.#left >= 0) return;
    // Written synchronously: a logger may buffer the line.
    writeSync(2, `${JSON.stringify({ level: "warn", event: "dying", place, msg: `dying at ${place}` })}\n`);
    process.kill(process.pid, "SIGKILL");
  }
}
