import type { Bed, Load } from "./bed.ts";
import type { ConsumerCommand } from "./consumer.ts";

/** Somebody who counts mobile events by time zone in tumbling windows, and can be compared with others. */
export interface Contender {
  readonly name: string;
  /** How it is run over a channel or stream, with windows so long. */
  readonly command: (task: ConsumerTask) => ConsumerCommand;
  /** Where its rows go. @default "stdout" */
  readonly rows?: "stdout" | "redis";
  /** Share of a core that it may take while it has nothing to do: some ask for events over and over. @default 0 */
  readonly idling?: number;
  /** Events that it gets for each that the others get: a slow one would take for ever. @default 1 */
  readonly share?: number;
}

/** What a consumer is to do. */
export interface ConsumerTask {
  readonly bed: Bed;
  readonly load: Load;
  readonly channel: string;
  readonly windowMs: number;
}

/** What one contender came to in one round. */
export interface Measurement {
  readonly cpuMicrosPerEvent: number;
  readonly eventsPerSecond: number;
  /** The most memory that it ever held. */
  readonly rssMiB: number;
}
