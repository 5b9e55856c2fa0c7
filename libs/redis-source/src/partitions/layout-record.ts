import type { Redis } from "ioredis";
import { SILENT_LOGGER } from "@millrace/dataflow";
import type { StartContext } from "@millrace/dataflow";
import { describeRedis } from "../connection/connection-options.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { explainFailure, replyKind } from "../connection/explain-failure.ts";
import type { ReplyKind } from "../connection/explain-failure.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import { PartitionLayoutError } from "../errors.ts";
import type { RedisError } from "../errors.ts";
import { describeLayout, formatLayout, isSameLayout, parseLayout } from "./partition-layout.ts";
import type { PartitionLayout } from "./partition-layout.ts";

/** The channels or streams of one name, which a layout divides. */
export interface LayoutSubject {
  readonly name: string;
  readonly transport: "pubsub" | "sharded" | "stream";
  /** How many connections its user takes, for the message when Redis accepts no more. `@default not known` */
  readonly needs?: string;
}

/** How a publisher divides its events, and how it deals with what is recorded. */
export interface PublisherLayout {
  readonly redis: RedisConnectionOptions;
  readonly subject: LayoutSubject;
  readonly layout: PartitionLayout;
  /** Whether the layout is changed on purpose. */
  readonly replace: boolean;
  readonly refusals: LayoutRefusals;
}

/** The attribute of heartbeats that carries a layout. */
export const LAYOUT_ATTRIBUTE = "layout";

/** Refusals that concern only the key of the layout: publishing and reading may still work. */
const REFUSALS: ReadonlySet<ReplyKind | undefined> = new Set([
  "forbidden",
  "occupied",
  "no-writes",
  "replica",
]);
/** The layout of a channel expires this long after a publisher last renewed it. */
const EXPIRES_AFTER_MS = 30_000;
/** A renewal may fail once or twice before the record expires. */
const RENEW_EVERY_MS = 10_000;
/** A reader checks the layout again after this time, and then less and less often. */
const FIRST_PAUSE_MS = 5_000;
/** As long as a record takes to change: a channel's must expire before publishers can divide it differently. */
const LONGEST_PAUSE_MS = 30_000;
/** Short, because events wait while a reader checks again. */
const LOOK_TIMEOUT_MS = 2_000;

/** The key in which the layout of a name is recorded. On a Redis Cluster its slot follows from the key's own name. */
export function layoutKey({ name, transport }: LayoutSubject): string {
  return `${name}:layout:${transport}`;
}

/** Whether a name is one partition of several, with its number in braces. It does not say how many there are. */
export function isOnePartition(name: string): boolean {
  return /^\{.+:\d+\}$/.test(name);
}

/**
 * How a publisher divides its events, recorded in Redis before it publishes any. If Redis refuses the key, it only logs
 * that; if Redis is out of memory or the like, it writes the record later.
 *
 * The record of a stream stays, like its events. With Pub/Sub nothing is left when publishers end, so there the record is
 * renewed while they run, and expires 30 s after the last of them. No publisher deletes it, since others may still
 * publish.
 */
export class LayoutRecord {
  readonly #publisher: PublisherLayout;
  readonly #context: StartContext;
  #cancelRenewal: (() => void) | undefined;
  #refusal: PartitionLayoutError | undefined;
  #closed = false;

  private constructor(publisher: PublisherLayout, context: StartContext) {
    this.#publisher = publisher;
    this.#context = context;
  }

  /**
   * @throws PartitionLayoutError if another layout is recorded; RedisError if there is no usable Redis within
   *   `connectTimeoutMs`; the reason of the context's signal
   */
  static async open(publisher: PublisherLayout, context: StartContext): Promise<LayoutRecord> {
    const { redis, subject, layout, replace } = publisher;
    const record = new LayoutRecord(publisher, context);
    const other = await record.#write(replace, redis, context);
    if (other !== undefined && !replace) throw refusalOfWriter(subject, other, layout);
    if (other !== undefined) {
      const { logger, step } = context;
      logger.warn(
        { event: "layout-changed", step, key: layoutKey(subject), to: formatLayout(layout) },
        `"${subject.name}" was divided into ${describeLayout(other)}; from now on it is divided into ${describeLayout(layout)}`,
      );
    }
    record.#renewLater();
    return record;
  }

  /** Throws if a renewal found another layout: a publisher changed it on purpose. @throws PartitionLayoutError */
  throwIfRefused(): void {
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  /** Stops renewing: unless another publisher renews it, the record of a channel expires. */
  close(): void {
    this.#closed = true;
    this.#cancelRenewal?.();
  }

  #renewLater(): void {
    if (this.#closed || this.#refusal !== undefined) return;
    const { time } = this.#context;
    this.#cancelRenewal = time.wakeAfter(RENEW_EVERY_MS, () => {
      void this.#renew().then(() => {
        this.#renewLater();
      });
    });
  }

  async #renew(): Promise<void> {
    const { redis, subject, layout } = this.#publisher;
    try {
      const other = await this.#write(false, inMidRun(redis), quietly(this.#context));
      if (other !== undefined) this.#refusal = refusalOfWriter(subject, other, layout);
    } catch {
      // The next renewal may succeed; readers of frames get the layout from heartbeats in any case.
    }
  }

  /** @returns another layout that is, or was, recorded */
  async #write(
    replace: boolean,
    options: RedisConnectionOptions,
    context: StartContext,
  ): Promise<PartitionLayout | undefined> {
    const { subject, layout, refusals } = this.#publisher;
    const key = layoutKey(subject);
    const text = formatLayout(layout);
    const expiry = subject.transport === "stream" ? [] : ["PX", EXPIRES_AFTER_MS];
    let other: PartitionLayout | undefined;
    const refused = (failure: RedisError): void => {
      refusals.refused(failure, { key, name: subject.name }, this.#context);
    };
    const answer = await askFor(options, subject, context, refused, async (client) => {
      // Twice, since a record that is found may expire before it is renewed.
      for (let attempt = 0; attempt < 2 && !this.#closed; attempt += 1) {
        // In one command: of two publishers that start at the same time, one finds the layout of the other.
        const found = await client.call("SET", key, text, ...(replace ? [] : ["NX"]), "GET", ...expiry);
        const recorded = typeof found === "string" ? parseLayout(found) : undefined;
        other = recorded === undefined || isSameLayout(recorded, layout) ? undefined : recorded;
        if (replace || found === null || other !== undefined || expiry.length === 0) return null;
        // The same layout is there, so it is only renewed; if it has expired since, it is recorded again.
        if ((await client.pexpire(key, EXPIRES_AFTER_MS)) === 1) return null;
      }
      return null;
    });
    if (answer !== undefined) refusals.over();
    return other;
  }
}

/**
 * Refuses a publisher whose layout differs from the one that is recorded. Changes nothing.
 *
 * @throws PartitionLayoutError if another layout is recorded; RedisError if there is no usable Redis within
 *   `connectTimeoutMs`; the reason of the context's signal
 */
export async function checkLayout(
  { redis, subject, layout, replace, refusals }: PublisherLayout,
  context: StartContext,
): Promise<void> {
  const asks = !replace && !isOnePartition(subject.name);
  const refused = (failure: RedisError): void => {
    refusals.refused(failure, { key: layoutKey(subject), name: subject.name }, context);
  };
  const text = await askFor(redis, subject, context, refused, (client) =>
    asks ? client.get(layoutKey(subject)) : Promise.resolve(null),
  );
  const recorded = typeof text === "string" ? parseLayout(text) : undefined;
  if (recorded !== undefined && !isSameLayout(recorded, layout))
    throw refusalOfWriter(subject, recorded, layout);
}

/**
 * Checks that a reader has the same layout as the publishers, by their record and by their heartbeats. It checks again
 * when events come, and later at least every 30 s, since other publishers with another layout may start.
 *
 * All partitions of a source share one guard.
 */
export class LayoutGuard {
  readonly #options: RedisConnectionOptions;
  readonly #subject: LayoutSubject;
  readonly #layout: PartitionLayout;
  readonly #text: string;
  readonly #needs: (() => string) | undefined;
  readonly #refusals = new LayoutRefusals();
  #begun: Promise<void> | undefined;
  /** This user may not read the key. */
  #denied = false;
  #asking = false;
  #askAt = Number.NEGATIVE_INFINITY;
  #pauseMs = FIRST_PAUSE_MS;
  #refusal: PartitionLayoutError | undefined;

  /** @param needs how many connections the source takes, for the message when Redis accepts no more */
  constructor(
    options: RedisConnectionOptions,
    subject: LayoutSubject,
    layout: PartitionLayout,
    needs?: () => string,
  ) {
    this.#needs = needs;
    this.#options = options;
    this.#subject = subject;
    this.#layout = layout;
    this.#text = formatLayout(layout);
  }

  /** Whether publishers have another layout: {@link throwIfRefused} says which. */
  get refused(): boolean {
    return this.#refusal !== undefined;
  }

  /** @throws PartitionLayoutError */
  throwIfRefused(): void {
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  /**
   * Checks the record; only the first call does.
   *
   * @throws PartitionLayoutError; RedisError if there is no usable Redis within `connectTimeoutMs`; the reason of the
   *   context's signal
   */
  begin(context: StartContext): Promise<void> {
    this.#begun ??= this.#begin(context).catch((error: unknown) => {
      this.#begun = undefined;
      throw error;
    });
    return this.#begun;
  }

  /** Whether {@link lookAgain} would ask Redis now. @param now monotonic, ms */
  isDue(now: number): boolean {
    return !this.#denied && !this.#asking && now >= this.#askAt;
  }

  /** Checks the record again. Without Redis it does nothing. @throws PartitionLayoutError */
  async lookAgain(context: StartContext): Promise<void> {
    this.#asking = true;
    try {
      await this.#look(context, {
        ...this.#options,
        connectTimeoutMs: LOOK_TIMEOUT_MS,
        startClock: undefined,
      });
    } catch (error) {
      if (error instanceof PartitionLayoutError) throw error;
    } finally {
      this.#asking = false;
      this.#askAt = context.time.monotonic() + this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Takes the layout in a heartbeat; it never throws. */
  hear(attributes: Readonly<Record<string, string>>): void {
    const text = attributes[LAYOUT_ATTRIBUTE];
    if (text === undefined || text === this.#text) return;
    this.#accept(parseLayout(text));
  }

  async #begin(context: StartContext): Promise<void> {
    // The first events are a reason to check again only if there was no publisher yet.
    if (await this.#look(context)) this.#askAt = context.time.monotonic() + LONGEST_PAUSE_MS;
  }

  /** @returns whether a layout is recorded */
  async #look(context: StartContext, options = this.#options, connecting = context): Promise<boolean> {
    const key = layoutKey(this.#subject);
    const send = (client: Redis): Promise<string | null> => client.get(key);
    const refused = (failure: RedisError): void => {
      this.#refusals.refused(failure, { key, name: this.#subject.name }, context);
    };
    const text = await askFor(options, this.#subject, connecting, refused, send, this.#needs?.());
    // A user without the permission does not get it by asking again.
    if (text === undefined) this.#denied = true;
    if (typeof text === "string") this.#accept(parseLayout(text));
    this.throwIfRefused();
    return typeof text === "string";
  }

  #accept(recorded: PartitionLayout | undefined): void {
    if (recorded === undefined || isSameLayout(recorded, this.#layout)) return;
    this.#refusal ??= refusalOfReader(this.#subject, recorded, this.#layout);
  }
}

/** For a connection that is opened during the run only to ask: it does not share the clock of the start. */
function inMidRun(options: RedisConnectionOptions): RedisConnectionOptions {
  return { ...options, connectTimeoutMs: LOOK_TIMEOUT_MS, startClock: undefined };
}

/** No log: the connections for events log that Redis is away. */
function quietly(context: StartContext): StartContext {
  return { ...context, logger: SILENT_LOGGER };
}

/** @param refused called if Redis refuses this key @returns `undefined` if it does */
async function askFor(
  options: RedisConnectionOptions,
  subject: LayoutSubject,
  { logger, time, signal }: StartContext,
  refused: (failure: RedisError) => void,
  send: (client: Redis) => Promise<string | null>,
  needs = subject.needs,
): Promise<string | null | undefined> {
  const key = layoutKey(subject);
  let answer: string | null | undefined;
  const prepare = async (client: Redis): Promise<void> => {
    try {
      answer = await send(client);
    } catch (error) {
      if (!REFUSALS.has(replyKind(error))) throw error;
      refused(explainFailure(error, describeRedis(options), { key }));
    }
  };
  const settings = { role: `layout ${subject.name}`, key, logger, time, signal, prepare, needs };
  const connection = await connectRedis(options, settings);
  await connection.close();
  return answer;
}

function refusalOfWriter(
  subject: LayoutSubject,
  recorded: PartitionLayout,
  layout: PartitionLayout,
): PartitionLayoutError {
  return new PartitionLayoutError(
    `"${subject.name}" is divided into ${describeLayout(recorded)}, and this publisher would divide it into ` +
      `${describeLayout(layout)}: readers would miss events or count a key in two places. Give it the same --partitions ` +
      "and --partition-by (options partitions and partitionedBy). To change the layout, stop the other publishers, let " +
      `readers finish, and start with --relayout (option relayout), or delete the key "${layoutKey(subject)}".` +
      (subject.transport === "stream" ? "" : " It expires 30 s after the last publisher has ended."),
  );
}

function refusalOfReader(
  subject: LayoutSubject,
  recorded: PartitionLayout,
  layout: PartitionLayout,
): PartitionLayoutError {
  return new PartitionLayoutError(
    `Publishers divide "${subject.name}" into ${describeLayout(recorded)}, and this reader reads ` +
      `${describeLayout(layout)}: it would miss events or count a key in two places. Give it the same --partitions and ` +
      `--partition-by (options partitions and partitionedBy). It is recorded in the key "${layoutKey(subject)}", and in ` +
      "the publishers' heartbeats.",
  );
}

/** Logs why the key of a layout cannot be used, once for each reason until it can be. Retryable failures are not logged. */
export class LayoutRefusals {
  #logged: string | undefined;

  /** @param key the key of the record of `name` */
  refused(
    failure: RedisError,
    { key, name }: { readonly key: string; readonly name: string },
    { logger, step }: Pick<StartContext, "logger" | "step">,
  ): void {
    if (failure.retryable || failure.message === this.#logged) return;
    this.#logged = failure.message;
    logger.warn(
      { event: "layout-unknown", step, key, code: failure.code },
      `${failure.message} Without the key "${key}" Millrace cannot detect that publishers and readers of "${name}" divide ` +
        "it differently.",
    );
  }

  /** The key can be used again. */
  over(): void {
    this.#logged = undefined;
  }
}
