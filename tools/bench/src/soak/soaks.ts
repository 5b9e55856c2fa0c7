import type { Load } from "../conductor/bed.ts";
import type { Contender } from "../conductor/contender.ts";
import { millrace } from "../pipeline/contenders.ts";

/** Something that must be able to run for ever. */
export interface Soak {
  readonly name: string;
  readonly load: Load;
  readonly contender: Contender;
}

export const SOAKS: readonly Soak[] = [
  {
    name: "pubsub-frames",
    load: { transport: "pubsub", batch: 64 },
    contender: millrace("Pub/Sub, frames of 64"),
  },
  {
    name: "stream-on",
    load: { transport: "stream", batch: 64 },
    // Entries that were counted go, and so do rows that nobody looks at any more: Redis must not grow either.
    contender: millrace("Streams, exactly-once on", ["--sink=redis", "--trim", "--result-ttl=60s"], "redis"),
  },
];
