import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import { PartitionLayoutError } from "../errors.ts";
import { describeLayout, formatLayout, isSameLayout, parseLayout } from "./partition-layout.ts";
import type { PartitionLayout } from "./partition-layout.ts";

/** What is divided: the channels or streams of one name. */
export interface LayoutSubject {
  readonly name: string;
  readonly transport: "pubsub" | "sharded" | "stream";
}

/** The attribute of heartbeats that carries a layout. */
export const LAYOUT_ATTRIBUTE = "layout";

type StartContext = Pick<PartContext, "logger" | "time" | "signal" | "step">;

/** Answers that concern this one key: what is to be published or read can be all the same. */
const REFUSALS = /^(NOPERM|WRONGTYPE|OOM|MISCONF|READONLY|NOREPLICAS)\b/;
/** After a publisher was killed, the layout of its channel is nobody's. */
const EXPIRES_AFTER_MS = 60_000;
/** A publisher may come later, but hardly the more likely for each time that there was none. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 300_000;

/** The key in which the layout of a name is recorded. On a Redis Cluster it lies where its own name puts it. */
export function layoutKey({ name, transport }: LayoutSubject): string {
  return `${name}:layout:${transport}`;
}

/** A name that has its number in braces is one partition of several, and says nothing of how many there are. */
export function isOnePartition(name: string): boolean {
  return /^\{.+:\d+\}$/.test(name);
}

/**
 * How a publisher divides its events, recorded in Redis before it publishes any. Where Redis refuses the key, it only
 * logs so.
 *
 * Streams keep their events, and their record with them. Of Pub/Sub nothing is left when publishers end, so there it is
 * renewed while they run, and goes with them.
 */
export class LayoutRecord {
  readonly #options: RedisConnectionOptions;
  readonly #subject: LayoutSubject;
  readonly #layout: PartitionLayout;
  readonly #context: StartContext;
  #cancelRenewal: (() => void) | undefined;
  #closed = false;

  private constructor(
    options: RedisConnectionOptions,
    subject: LayoutSubject,
    layout: PartitionLayout,
    context: StartContext,
  ) {
    this.#options = options;
    this.#subject = subject;
    this.#layout = layout;
    this.#context = context;
  }

  /**
   * @param replace the layout is changed on purpose
   * @throws PartitionLayoutError when another layout is recorded; RedisError when there is no usable Redis within
   *   `connectTimeoutMs`; the reason of the context's signal
   */
  static async open(
    options: RedisConnectionOptions,
    subject: LayoutSubject,
    layout: PartitionLayout,
    replace: boolean,
    context: StartContext,
  ): Promise<LayoutRecord> {
    const record = new LayoutRecord(options, subject, layout, context);
    const other = await record.#write(replace);
    if (other !== undefined && !replace) throw refusalOfWriter(subject, other, layout);
    if (other !== undefined) {
      const { logger, step } = context;
      logger.warn(
        { event: "layout-changed", step, key: layoutKey(subject), to: formatLayout(layout) },
        `"${subject.name}" was divided into ${describeLayout(other)}, and is into ${describeLayout(layout)} from now on`,
      );
    }
    record.#renewLater();
    return record;
  }

  /** Ends the renewal. Another publisher of the channel records the layout again when it renews its own. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelRenewal?.();
    if (!this.#expires || this.#context.signal.aborted) return;
    const key = layoutKey(this.#subject);
    // Without Redis it expires.
    await this.#ask((client) => client.call("DEL", key).then(() => null)).catch(() => undefined);
  }

  get #expires(): boolean {
    return this.#subject.transport !== "stream";
  }

  #renewLater(): void {
    if (!this.#expires || this.#closed) return;
    const { time } = this.#context;
    this.#cancelRenewal = time.wakeAt(time.now() + EXPIRES_AFTER_MS / 3, () => {
      // What cannot be renewed now may be next time; readers of frames hear of it in any case.
      void this.#write(false)
        .catch(() => undefined)
        .then(() => {
          this.#renewLater();
        });
    });
  }

  /** @returns another layout that is, or was, recorded */
  async #write(replace: boolean): Promise<PartitionLayout | undefined> {
    const key = layoutKey(this.#subject);
    const text = formatLayout(this.#layout);
    // In one command: of two publishers that begin at once, one finds the layout of the other.
    const before = await this.#ask(async (client) => {
      const set = replace ? client.set(key, text, "GET") : client.set(key, text, "NX", "GET");
      const found = await set;
      const ours = replace || found === null || found === text;
      if (this.#expires && ours) await client.pexpire(key, EXPIRES_AFTER_MS);
      return found;
    });
    const recorded = typeof before === "string" ? parseLayout(before) : undefined;
    return recorded === undefined || isSameLayout(recorded, this.#layout) ? undefined : recorded;
  }

  #ask(send: (client: Redis) => Promise<string | null>): Promise<string | null | undefined> {
    return askFor(this.#options, this.#subject, this.#context, send);
  }
}

/**
 * Sees that a reader reads all that publishers write, as they divide it: by what they have recorded, and by what their
 * heartbeats say. Where no layout is known, it asks again when events come, and then less and less often.
 *
 * All partitions of a source share one guard.
 */
export class LayoutGuard {
  readonly #options: RedisConnectionOptions;
  readonly #subject: LayoutSubject;
  readonly #layout: PartitionLayout;
  readonly #text: string;
  #begun: Promise<void> | undefined;
  #known = false;
  #asking = false;
  #askAt = Number.NEGATIVE_INFINITY;
  #pauseMs = FIRST_PAUSE_MS;
  #refusal: PartitionLayoutError | undefined;

  constructor(options: RedisConnectionOptions, subject: LayoutSubject, layout: PartitionLayout) {
    this.#options = options;
    this.#subject = subject;
    this.#layout = layout;
    this.#text = formatLayout(layout);
  }

  /** Publishers divide their events otherwise: {@link throwIfRefused} says how. */
  get refused(): boolean {
    return this.#refusal !== undefined;
  }

  /** @throws PartitionLayoutError */
  throwIfRefused(): void {
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  /**
   * Looks at what is recorded, the first time that it is called.
   *
   * @throws PartitionLayoutError; RedisError when there is no usable Redis within `connectTimeoutMs`; the reason of the
   *   context's signal
   */
  begin(context: StartContext): Promise<void> {
    this.#begun ??= this.#look(context).catch((error: unknown) => {
      this.#begun = undefined;
      throw error;
    });
    return this.#begun;
  }

  /** Whether {@link lookAgain} would ask Redis now. */
  isDue(now: number): boolean {
    return !this.#known && !this.#asking && now >= this.#askAt;
  }

  /** Looks again whether a publisher has recorded a layout. Without Redis it does nothing. @throws PartitionLayoutError */
  async lookAgain(context: StartContext): Promise<void> {
    this.#asking = true;
    try {
      await this.#look(context);
    } catch (error) {
      if (error instanceof PartitionLayoutError) throw error;
    } finally {
      this.#asking = false;
      this.#askAt = context.time.now() + this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Takes what a heartbeat says; it never throws. */
  hear(attributes: Readonly<Record<string, string>>): void {
    const text = attributes[LAYOUT_ATTRIBUTE];
    if (text === undefined || text === this.#text) return;
    this.#accept(parseLayout(text));
  }

  async #look(context: StartContext): Promise<void> {
    const text = await askFor(this.#options, this.#subject, context, (client) =>
      client.get(layoutKey(this.#subject)),
    );
    // Who may not read the key will not be allowed to by asking again.
    if (text === undefined) this.#known = true;
    if (typeof text === "string") this.#accept(parseLayout(text));
    this.throwIfRefused();
  }

  #accept(recorded: PartitionLayout | undefined): void {
    if (recorded === undefined) return;
    this.#known = true;
    if (isSameLayout(recorded, this.#layout)) return;
    this.#refusal ??= refusalOfReader(this.#subject, recorded, this.#layout);
  }
}

/** @returns `undefined` where Redis refuses the key, which is logged */
async function askFor(
  options: RedisConnectionOptions,
  subject: LayoutSubject,
  { logger, time, signal, step }: StartContext,
  send: (client: Redis) => Promise<string | null>,
): Promise<string | null | undefined> {
  const key = layoutKey(subject);
  let answer: string | null | undefined;
  const prepare = async (client: Redis): Promise<void> => {
    try {
      answer = await send(client);
    } catch (error) {
      if (!(error instanceof Error) || !REFUSALS.test(error.message)) throw error;
      logger.warn(
        { event: "layout-unknown", step, key, reason: error.message },
        `Redis refuses the key "${key}": publishers and readers of "${subject.name}" that divide it differently are not ` +
          "noticed without it. Allow GET and SET on it.",
      );
    }
  };
  const settings = { role: `layout ${subject.name}`, key, logger, time, signal, prepare };
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
      "and --partition-by (options partitions and partitionedBy). To change the layout, end the other publishers, let " +
      `readers finish, and start with --relayout (option relayout), or delete the key "${layoutKey(subject)}".`,
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
