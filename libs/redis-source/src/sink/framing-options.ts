import { randomUUID } from "node:crypto";
import { RedisOptionsError } from "../errors.ts";
import { MESSAGE_LIMITS } from "../wire/frame.ts";

/** How a sink packs rows into frames. */
export interface FramingOptions {
  /**
   * Packs rows into frames with numbers, so that readers can measure losses and drop what is sent twice. Without frames
   * each row is a message of its own, unchanged.
   * @default true if another option of frames is given
   */
  readonly frames?: boolean;
  /** Most rows in a frame, 10,000 at most. `@default 64` */
  readonly batch?: number;
  /** How long a row may wait for its frame to be full, ms; 0: until the end of the write. `@default 10` */
  readonly lingerMs?: number;
  /** An empty frame (heartbeat) is sent after this long without another, ms. `@default 1_000` */
  readonly heartbeatMs?: number;
  /**
   * The name of the producer, which numbers the rows; 1 to 48 of `A-Z a-z 0-9 . _ : -`. Numbers begin at 0, so the name
   * must be new on the channel or stream: under a used name, readers would drop rows as sent twice.
   * @default random
   */
  readonly producer?: string;
  /**
   * In place of `producer`: a name whose numbers continue after a restart, so that readers keep one account for all runs,
   * and count as lost what a crashed run had numbered and not sent. Redis keeps the numbers for a day without any publisher
   * of the channel, and for 7 days without one of this name; after a restart of Redis they begin again. Publish times
   * continue, too: they never fall below the latest of an earlier run. Only one publisher can hold a name at a time: after a
   * crash, the next one waits up to 3 s for the claim to end. @default none
   */
  readonly lastingProducer?: string;
}

/** Resolved options. */
export interface FramingSettings {
  readonly maxFrameEvents: number;
  /** In characters or bytes; a character has at most three bytes, and readers accept one mebibyte. */
  readonly maxFrameSize: number;
  readonly lingerMs: number;
  readonly heartbeatMs: number;
  readonly producer: string;
  /** Whether the numbers of `producer` continue after a restart. */
  readonly lasting: boolean;
}

const MAX_FRAME_SIZE = 262_144;
/** Options that need frames. */
const OF_FRAMES = ["batch", "lingerMs", "heartbeatMs", "producer", "lastingProducer"] as const;
const PRODUCER = /^[A-Za-z0-9._:-]{1,48}$/;

/** `undefined`: no frames are wanted. @throws RedisOptionsError */
export function resolveFraming(options: FramingOptions): FramingSettings | undefined {
  const { batch = 64, lingerMs = 10, heartbeatMs = 1_000, lastingProducer } = options;
  const { frames = OF_FRAMES.some((name) => options[name] !== undefined) } = options;
  const producer = lastingProducer ?? options.producer ?? randomUUID();
  requireAtLeast("batch", batch, 1);
  if (batch > MESSAGE_LIMITS.maxLines) {
    throw new RedisOptionsError(
      `batch is ${batch}. Give at most ${MESSAGE_LIMITS.maxLines}: readers accept no more rows in a frame.`,
    );
  }
  requireAtLeast("lingerMs", lingerMs, 0);
  requireAtLeast("heartbeatMs", heartbeatMs, 1);
  if (!isProducerName(producer)) {
    throw new RedisOptionsError(`The producer's name is "${producer}". Give 1 to 48 of A-Z a-z 0-9 . _ : -`);
  }
  if (lastingProducer !== undefined && (options.producer !== undefined || !frames)) {
    throw new RedisOptionsError(
      `lastingProducer is "${lastingProducer}", ` +
        (!frames
          ? "but rows without frames have no numbers. Leave out one of lastingProducer and frames: false."
          : "and producer is given too. Leave one of them out."),
    );
  }
  if (!frames) return undefined;
  return {
    maxFrameEvents: batch,
    maxFrameSize: MAX_FRAME_SIZE,
    lingerMs,
    heartbeatMs,
    producer,
    lasting: lastingProducer !== undefined,
  };
}

/** Whether a producer may have this name. */
export function isProducerName(name: string): boolean {
  return PRODUCER.test(name);
}

/** @throws RedisOptionsError */
export function requireAtLeast(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RedisOptionsError(`${name} is ${value}. Give a whole number of at least ${least}.`);
  }
}
