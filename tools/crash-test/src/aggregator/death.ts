import { writeSync } from "node:fs";

/** Where the aggregator can be told to die: the fail points of the store, and behind each page but the last. */
export const DEATHS = ["before-commit", "staged", "made", "after-commit", "between-pages"] as const;

/** One of {@link DEATHS}. */
export type DeathPlace = (typeof DEATHS)[number];

/** A place, and how often it is passed unharmed before. */
export interface Death {
  readonly place: DeathPlace;
  readonly passes: number;
}

/** Kills this process, as the kernel would, when it comes to a place once too often. */
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
    // A logger might keep the line until it is too late.
    writeSync(2, `${JSON.stringify({ level: "warn", event: "dying", place, msg: `dying at ${place}` })}\n`);
    process.kill(process.pid, "SIGKILL");
  }
}
