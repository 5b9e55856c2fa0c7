import type { PartContext } from "@millrace/dataflow";
import type { RetryingClient } from "../connection/retrying-client.ts";
import { RedisClosedError } from "../errors.ts";
import { claimGroup, readGroups, showProgress, trimBelow } from "./group-commands.ts";
import { compareIds } from "./entry-id.ts";
import type { Place } from "./place.ts";
import type { StreamPartitionSettings } from "./stream-source-options.ts";
import { TrimGuard } from "./trim-guard.ts";

/** Most entries that one command deletes: Redis serves no other client during it. */
const TRIM_LIMIT = 10_000;
/** How long a close waits for a Redis that hangs, ms. */
const LAST_UPDATE_MS = 1_000;

/**
 * Publishes the committed position as the progress of a consumer group, and trims what every group has passed. It works
 * in the background, at most once in `progressEveryMs`, and always reaches the last commit.
 */
export class StreamProgress {
  readonly #stream: string;
  readonly #redis: RetryingClient;
  readonly #settings: StreamPartitionSettings;
  readonly #context: PartContext;
  readonly #guard: TrimGuard;
  #latest: Place | undefined;
  #nextAt = Number.NEGATIVE_INFINITY;
  #cancelAlarm: (() => void) | undefined;
  #working: Promise<void> | undefined;
  #closed = false;
  #trimmed = 0;
  #failing = false;

  constructor(
    stream: string,
    redis: RetryingClient,
    settings: StreamPartitionSettings,
    context: PartContext,
  ) {
    this.#stream = stream;
    this.#redis = redis;
    this.#settings = settings;
    this.#context = context;
    this.#guard = new TrimGuard(settings.group ?? "", settings.abandonedAfterMs);
  }

  get trimmed(): number {
    return this.#trimmed;
  }

  get abandonedGroups(): number {
    return this.#guard.abandonedGroups;
  }

  /**
   * Makes the group, so that from now on no other task trims what this task has not read.
   *
   * @throws RedisGroupError if there is one that Millrace has not made; RedisError if Redis refuses it
   */
  async begin(place: Place): Promise<void> {
    const { group } = this.#settings;
    if (group === undefined) return;
    await this.#redis.ask((client) => claimGroup(client, this.#stream, group, place));
  }

  committed(place: Place): void {
    if (this.#settings.group === undefined) return;
    this.#latest = place;
    this.#plan();
  }

  /** Moves the group to the last commit, if Redis is there. No update starts after that. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelAlarm?.();
    if (this.#redis.client === undefined || (this.#latest === undefined && this.#working === undefined))
      return;
    const { time } = this.#context;
    let cancel: (() => void) | undefined;
    const limit = new Promise<void>((resolve) => {
      cancel = time.wakeAfter(LAST_UPDATE_MS, resolve);
    });
    const last = async (): Promise<void> => {
      await this.#working;
      await this.#update();
    };
    await Promise.race([last(), limit]);
    cancel?.();
  }

  #plan(): void {
    if (this.#closed || this.#working !== undefined || this.#cancelAlarm !== undefined) return;
    const { time } = this.#context;
    this.#cancelAlarm = time.wakeAfter(Math.max(this.#nextAt - time.monotonic(), 0), () => {
      this.#cancelAlarm = undefined;
      this.#working = this.#update().finally(() => {
        this.#working = undefined;
        if (this.#latest !== undefined) this.#plan();
      });
    });
  }

  async #update(): Promise<void> {
    const { group, trim, progressEveryMs } = this.#settings;
    const place = this.#latest;
    if (place === undefined || group === undefined) return;
    this.#latest = undefined;
    try {
      await this.#redis.ask((client) => showProgress(client, this.#stream, group, place));
      if (trim) await this.#trim(place);
      this.#failing = false;
      const { logger, step } = this.#context;
      logger.debug(
        { event: "progress", stream: this.#stream, step, ...place, trimmed: this.#trimmed },
        `stream ${this.#stream} is done up to ${place.id}`,
      );
    } catch (error) {
      this.#warn(error);
    }
    this.#nextAt = this.#context.time.monotonic() + progressEveryMs;
  }

  async #trim({ id }: Place): Promise<void> {
    const groups = await this.#redis.ask((client) => readGroups(client, this.#stream));
    const { below, abandoned, resumed } = this.#guard.trimPoint(id, groups, this.#context.time.monotonic());
    const { logger, step } = this.#context;
    for (const group of abandoned) {
      logger.warn(
        { event: "group-abandoned", stream: this.#stream, step, group },
        `consumer group ${group} of stream ${this.#stream} has made no progress for ${this.#settings.abandonedAfterMs} ms: ` +
          "what it has not read is trimmed from now on. Delete it with XGROUP DESTROY if it is not used.",
      );
    }
    for (const group of resumed) {
      logger.info(
        { event: "group-back", stream: this.#stream, step, group },
        `consumer group ${group} of stream ${this.#stream} makes progress again: what it has not read is kept`,
      );
    }
    if (compareIds(below, "0-0") === 0) return;
    let deleted: number;
    do {
      deleted = await this.#redis.ask((client) => trimBelow(client, this.#stream, below, TRIM_LIMIT));
      this.#trimmed += deleted;
    } while (deleted > 0);
  }

  /** Logs a failure once. The flow's results do not depend on it, and the next commit tries again. */
  #warn(error: unknown): void {
    if (error instanceof RedisClosedError || this.#failing) return;
    this.#failing = true;
    const { logger, step } = this.#context;
    logger.warn(
      { event: "progress-failed", stream: this.#stream, step, err: error },
      `the progress on stream ${this.#stream} cannot be updated: ${error instanceof Error ? error.message : "unknown"}`,
    );
  }
}
