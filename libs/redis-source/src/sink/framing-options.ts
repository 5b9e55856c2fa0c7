import { randomUUID } from "node:crypto";
import { RedisOptionsError } from "../errors.ts";
import { MESSAGE_LIMITS } from "../wire/frame.ts";

/** How a sink packs rows into frames. */
export interface FramingOptions {
  /**
   * Packs rows into frames with numbers, so that readers measure losses and recognise what is sent again. Without them
   * each row is a message of its own, as it is.
   * @default whether one of the other options of frames is given
   */
  readonly frames?: boolean;
  /** Most rows in a frame, 10,000 at most. `@default 64` */
  readonly batch?: number;
  /** How long a row may wait for its frame to be full; 0: until the end of the write. `@default 10` */
  readonly lingerMs?: number;
  /** Longest silence: then an empty frame is sent. `@default 1_000` */
  readonly heartbeatMs?: number;
  /**
   * Who numbers the rows; 1 to 48 of `A-Z a-z 0-9 . _ : -`. Numbers begin at 0, so nobody may ever have had the name
   * before on the same channel or stream: what comes under it would count as sent twice.
   * @default random
   */
  readonly producer?: string;
  /**
   * In place of `producer`: a name under which the numbers go on after a restart, so that readers keep one account for all
   * runs, and count as lost what a run that crashed had numbered and not sent. They are kept in Redis, for a day without
   * any publisher of the channel and for 7 days without one of this name; after a restart of Redis they begin anew. Publish
   * times go on, too: they never fall below the latest of an earlier run. One publisher has a name at a time: the next waits up to 3 s for the claim of one
   * that has crashed. @default none
   */
  readonly lastingProducer?: string;
}

/** The same without choices left open. */
export interface FramingSettings {
  readonly maxFrameEvents: number;
  /** Characters or bytes; a character has three bytes at most, and readers take a mebibyte unless told otherwise. */
  readonly maxFrameSize: number;
  readonly lingerMs: number;
  readonly heartbeatMs: number;
  readonly producer: string;
  /** `producer` is a name whose numbers go on. */
  readonly lasting: boolean;
}

const MAX_FRAME_SIZE = 262_144;
/** Options that mean nothing without frames. */
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
      `batch is ${batch}. Readers take ${MESSAGE_LIMITS.maxLines} rows in a frame at most.`,
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
          : "and there is a producer, too. Leave one of them out."),
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
