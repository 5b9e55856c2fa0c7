import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import { replyKind } from "../connection/explain-failure.ts";
import { hashTag } from "../partitions/partition-names.ts";

/** How far a producer is on one channel: it keeps this in Redis for readers that were disconnected. */
export interface ProducerRecord {
  /** The number of its next event. */
  readonly next: number;
  /** Publish times (ms) of its latest message and of its first one, by its own clock. */
  readonly publishedAtMs: number;
  readonly since: number;
  /** Whether it has ended. */
  readonly ended: boolean;
}

/** The records of the producers of a channel, by name. */
export type ProducerRecords = ReadonlyMap<string, ProducerRecord>;

/** How long records are kept: after this (`forgetAfterMs` of a ledger) a reader has forgotten the producer. */
export const RECORDS_KEPT_MS = 86_400_000;
/** Most records; the next producer that begins deletes the oldest beyond it. */
const MOST_RECORDS = 1_024;

/** The last time that Date can hold. */
const MAX_TIME_MS = 8.64e15;

/** The commands that {@link RecordKeeper} runs on the records. */
export const RECORD_COMMANDS = ["HSET", "PEXPIRE", "HGETALL", "HDEL"] as const;

/** The hash with the records of a channel, in the channel's slot. */
export function producersKey(channel: string): string {
  return `${hashTag(channel)}:producers`;
}

/**
 * Reads the records of a channel; `undefined` if this user may not, or the key is on another node of a cluster.
 *
 * @throws what a broken connection throws
 */
export async function readProducerRecords(
  client: Redis,
  channel: string,
): Promise<ProducerRecords | undefined> {
  try {
    const fields = await client.hgetall(producersKey(channel));
    return new Map(
      Object.entries(fields).flatMap(([producer, text]) => {
        const record = parse(text);
        return record === undefined ? [] : [[producer, record] as const];
      }),
    );
  } catch (error) {
    const kind = replyKind(error);
    if (isRefusal(error) || kind === "moved" || kind === "slot-moving") return undefined;
    throw error;
  }
}

/** Keeps the record of one producer in Redis. It only helps readers: a failure is logged once, and stops nothing. */
export class RecordKeeper {
  readonly #key: string;
  readonly #producer: string;
  readonly #channel: string;
  readonly #context: Pick<PartContext, "logger" | "step">;
  #logged = false;
  #tidied = false;

  constructor(channel: string, producer: string, context: Pick<PartContext, "logger" | "step">) {
    this.#key = producersKey(channel);
    this.#producer = producer;
    this.#channel = channel;
    this.#context = context;
  }

  /** Never rejects. @param client `undefined`: there is no connection, and the next record makes up for this one */
  async keep(client: Redis | undefined, record: ProducerRecord): Promise<void> {
    if (client === undefined) return;
    try {
      const kept = client.hset(this.#key, this.#producer, format(record));
      // In the same write: a key without expiry would stay for ever if this program died now.
      await Promise.all([kept, client.pexpire(this.#key, RECORDS_KEPT_MS)]);
      if (this.#tidied) return;
      this.#tidied = true;
      await this.#tidy(client, record.publishedAtMs);
    } catch (error) {
      // Anything else, such as a slot that moves, ends by itself, and the next record makes up for this one.
      if (this.#logged || !isRefusal(error)) return;
      this.#logged = true;
      logRefusedRecord(this.#context, this.#channel, error.message);
    }
  }

  /** A hash expires as a whole: so the records of producers that ended long ago are deleted field by field. */
  async #tidy(client: Redis, now: number): Promise<void> {
    const records = await readProducerRecords(client, this.#channel);
    const byAge = [...(records ?? [])].sort(([, a], [, b]) => b.publishedAtMs - a.publishedAtMs);
    const stale = byAge
      .filter(
        ([, { publishedAtMs }], index) => index >= MOST_RECORDS || publishedAtMs + RECORDS_KEPT_MS < now,
      )
      .map(([producer]) => producer);
    if (stale.length > 0) await client.hdel(this.#key, ...stale);
  }
}

/** @param reason why Redis refuses */
export function logRefusedRecord(
  { logger, step }: Pick<PartContext, "logger" | "step">,
  channel: string,
  reason: string,
): void {
  const key = producersKey(channel);
  logger.warn(
    { event: "no-producer-record", channel, step, reason },
    `Redis refuses ${key} (${reason}): a reader that was disconnected when this publisher ended cannot find out what it ` +
      "missed. Allow HSET, HGETALL, HDEL and PEXPIRE on that key.",
  );
}

const FORM = /^(\d{1,16}) (\d{1,16}) (\d{1,16}) ([01])$/;

function format({ next, publishedAtMs, since, ended }: ProducerRecord): string {
  return `${next} ${publishedAtMs} ${since} ${ended ? 1 : 0}`;
}

/** `undefined`: not written by Millrace. */
function parse(text: string): ProducerRecord | undefined {
  const [, next, publishedAtMs, since, ended] = FORM.exec(text) ?? [];
  const record = {
    next: Number(next),
    publishedAtMs: Number(publishedAtMs),
    since: Number(since),
    ended: ended === "1",
  };
  const numbers = [record.next, record.publishedAtMs, record.since];
  return numbers.every(Number.isSafeInteger) && record.publishedAtMs <= MAX_TIME_MS ? record : undefined;
}

function isRefusal(error: unknown): error is Error {
  const kind = replyKind(error);
  return kind === "forbidden" || kind === "occupied";
}
