import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { clickCodec } from "@millrace/event-schema";
import { eventOf } from "../click.ts";
import { addTallies, tallyOf } from "../tally.ts";
import type { Tally } from "../tally.ts";

/** Name of a window's key in {@link Tallies}. */
export function cellOf(window: number | string, key: string): string {
  return `${window} ${key}`;
}

/** Tallies by {@link cellOf}. */
export type Tallies = ReadonlyMap<string, Tally>;

/** Computes the expected tallies from the publisher's file: each event counts in the window of its time. */
export async function expectedOf(file: string, windowMs: number): Promise<Tallies> {
  const tallies = new Map<string, Tally>();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const decoded = clickCodec.decode(line);
    if (decoded.kind !== "event") throw new Error(`the input has a line that is no click: ${line}`);
    const { at, key } = eventOf(decoded.event);
    const cell = cellOf(Math.floor(at / windowMs), key);
    const one = tallyOf(decoded.event);
    const before = tallies.get(cell);
    tallies.set(cell, before === undefined ? one : addTallies(before, one));
  }
  return tallies;
}
