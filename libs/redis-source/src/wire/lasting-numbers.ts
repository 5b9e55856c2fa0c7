import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Redis } from "ioredis";
import { pause } from "@millrace/dataflow";
import type { PartContext } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { isReply } from "../connection/explain-failure.ts";
import { RetryingClient } from "../connection/retrying-client.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import { ProducerNameError, RedisClosedError } from "../errors.ts";
import { listOf } from "../stream/stream-commands.ts";
import { RECORDS_KEPT_MS, producersKey } from "./producer-records.ts";

/** A claim ends this long after its last renewal: after a crash the next publisher waits no longer. */
const LEASE_MS = 3_000;
const RENEW_EVERY_MS = LEASE_MS / 3;
/** A name without a publisher for this long is deleted when another name is claimed. */
const NAMES_KEPT_MS = 7 * 86_400_000;
/** In place of a value that is not known or absent. */
const NONE = "-";

/**
 * The record of a name: `<id> <next> <since> <owner> <until> <run> <last>`. `until` is when the claim ends or ended, by the
 * clock of Redis, ms; `since` and `last` are publish times of the first message and of the latest, ms.
 */
const FORM = "^(%S+) (%d+) (%d+) (%S+) (%d+) (%S+) (%d+)$";

const PRELUDE = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local id, next, since, owner, ends, run, last = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '${FORM}')
local function keep(...)
  redis.call('HSET', KEYS[1], ARGV[1], table.concat({...}, ' '))
  redis.call('PEXPIRE', KEYS[1], ${RECORDS_KEPT_MS})
end
local function later(ms) return string.format('%.0f', now + ms) end
`;

/** ARGV: field, owner, new id, run. @returns whether it is claimed, then id, next, since, last, or owner, end, ms left */
const CLAIM = `${PRELUDE}
if owner and owner ~= ARGV[2] and owner ~= '${NONE}' and tonumber(ends) > now then
  return {0, owner, ends, tostring(tonumber(ends) - now)}
end
if not id or run ~= ARGV[4] or run == '${NONE}' then id, next, since = ARGV[3], '0', '0' end
last = last or '0'
keep(id, next, since, ARGV[2], later(${LEASE_MS}), ARGV[4], last)
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local _, _, _, _, ended = string.match(all[i + 1], '${FORM}')
  if all[i] ~= ARGV[1] and ended and tonumber(ended) + ${NAMES_KEPT_MS} < now then
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return {1, id, next, since, last}`;

/** ARGV: field, owner, id, next, since, run, last. @returns whether the claim is still held, and else its holder */
const RESERVE = `${PRELUDE}
if owner and owner ~= ARGV[2] then return {0, owner} end
local upTo = ARGV[4]
if id == ARGV[3] and tonumber(next) > tonumber(upTo) then upTo = next end
keep(ARGV[3], upTo, ARGV[5], ARGV[2], later(${LEASE_MS}), ARGV[6], ARGV[7])
return {1}`;

/** ARGV: field, owner. */
const RELEASE = `${PRELUDE}
if owner == ARGV[2] then keep(id, next, since, '${NONE}', later(0), run, last) end
return {1}`;

/**
 * The numbers of a lasting producer: a publisher that claims the name continues where the last one ended, so that readers
 * keep one account for all of them.
 *
 * Numbers are reserved in Redis before any message carries them, and only by the holder of the name. So no number is used
 * twice, even after a crash. Rows that a publisher numbered and did not send leave a gap, which readers count as lost.
 *
 * The record of the name has the id by which readers know the producer. Redis may lose recent writes when it restarts, and
 * with them the last numbers. So if there is no record, or Redis has restarted since, the numbers begin at 0 with a new id.
 */
export class LastingNumbers {
  /** The id by which readers know the producer. */
  readonly producer: string;
  /** The number of its next event. */
  readonly first: number;
  readonly #channel: string;
  readonly #name: string;
  readonly #owner: string;
  readonly #redis: RetryingClient;
  readonly #context: PartContext;
  readonly #runs: RunIds;
  #next: number;
  /** Publish time of the first message, ms; 0: there was none. */
  #since: number;
  /** Publish time of the latest message, ms. */
  #last: number;
  #renewedAt: number;
  #cancelRenewal: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  #closed = false;

  private constructor(
    claim: { readonly channel: string; readonly name: string; readonly owner: string },
    state: {
      readonly producer: string;
      readonly first: number;
      readonly since: number;
      readonly last: number;
    },
    redis: RetryingClient,
    runs: RunIds,
    context: PartContext,
  ) {
    this.#channel = claim.channel;
    this.#name = claim.name;
    this.#owner = claim.owner;
    this.producer = state.producer;
    this.first = state.first;
    this.#next = state.first;
    this.#since = state.since;
    this.#last = state.last;
    this.#redis = redis;
    this.#runs = runs;
    this.#context = context;
    this.#renewedAt = context.time.monotonic();
    this.#renewLater();
  }

  /**
   * Claims the name on a channel or stream. If the last holder has crashed, it waits until that claim ends.
   *
   * @throws ProducerNameError if another publisher holds it; RedisError; the reason of the context's signal
   */
  static async claim(
    options: RedisConnectionOptions,
    channel: string,
    name: string,
    context: PartContext,
  ): Promise<LastingNumbers> {
    const { logger, time, signal } = context;
    const key = producersKey(channel);
    const connection = await connectRedis(options, {
      role: `producer ${channel}`,
      key,
      logger,
      time,
      signal,
    });
    const redis = new RetryingClient(connection, { ...context, key });
    const giveUp = (): void => {
      void redis.close();
    };
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      const owner = `${hostname().replace(/\s/g, "_")}:${process.pid}:${randomBytes(4).toString("hex")}`;
      const runs = new RunIds();
      const state = await claimed(redis, { channel, name, owner }, runs, context);
      return new LastingNumbers({ channel, name, owner }, state, redis, runs, context);
    } catch (error) {
      await redis.close();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Publish time (ms) of the first message ever; `undefined`: there was none. */
  get since(): number | undefined {
    return this.#since === 0 ? undefined : this.#since;
  }

  /** Publish time (ms) of the latest message that may have been sent; later ones must not be below it. 0: there was none. */
  get last(): number {
    return this.#last;
  }

  /**
   * Reserves all numbers up to `next` for this publisher, and renews the claim.
   *
   * @param publishedAtMs publish time of the first message that carries them
   * @param lastMs publish time of the last one
   * @throws ProducerNameError if another publisher now holds the name; RedisError
   */
  async reserve(next: number, publishedAtMs: number, lastMs = publishedAtMs): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#next = next;
    if (this.#since === 0) this.#since = publishedAtMs;
    this.#last = Math.max(this.#last, lastMs);
    await this.#keep();
  }

  /** Releases the name for the next publisher. It never rejects. */
  async release(): Promise<void> {
    this.#cancelRenewal?.();
    if (this.#failure === undefined && !this.#closed) {
      await this.#redis.ask((client) => this.#run(client, RELEASE)).catch(() => undefined);
    }
    await this.close();
  }

  /** Lets the claim expire; calls that wait are rejected. Idempotent. */
  close(): Promise<void> {
    this.#closed = true;
    this.#cancelRenewal?.();
    return this.#redis.close();
  }

  async #keep(): Promise<void> {
    this.#renewedAt = this.#context.time.monotonic();
    const [held, other] = await this.#redis.ask(async (client) =>
      this.#run(
        client,
        RESERVE,
        this.producer,
        this.#next,
        this.#since,
        await this.#runs.of(client),
        this.#last,
      ),
    );
    if (held === 1) return;
    throw taken(this.#channel, this.#name, String(other), "has taken it over since");
  }

  /** Renews the claim also while the publisher waits for room or for events. */
  #renewLater(): void {
    const { time } = this.#context;
    this.#cancelRenewal = time.wakeAfter(RENEW_EVERY_MS, () => {
      if (time.monotonic() < this.#renewedAt + RENEW_EVERY_MS) {
        this.#renewLater();
        return;
      }
      this.#keep().then(
        () => {
          if (!this.#closed) this.#renewLater();
        },
        (error: unknown) => {
          if (!(error instanceof RedisClosedError)) this.#failure ??= { error };
        },
      );
    });
  }

  #run(client: Redis, script: string, ...args: readonly (string | number)[]): Promise<readonly unknown[]> {
    return run(client, script, this.#channel, this.#name, this.#owner, ...args);
  }
}

/** The run id of each server, which changes at a restart: data from before may lack writes that it had confirmed. */
class RunIds {
  readonly #known = new WeakMap<Redis, Promise<string>>();

  of(client: Redis): Promise<string> {
    const known = this.#known.get(client) ?? runIdOf(client);
    this.#known.set(client, known);
    return known;
  }
}

async function runIdOf(client: Redis): Promise<string> {
  try {
    return /^run_id:(\w+)/m.exec(await client.info("server"))?.[1] ?? NONE;
  } catch (error) {
    // The command is renamed, or not allowed.
    if (isReply(error)) return NONE;
    throw error;
  }
}

async function claimed(
  redis: RetryingClient,
  { channel, name, owner }: { readonly channel: string; readonly name: string; readonly owner: string },
  runs: RunIds,
  { logger, step, time, signal }: PartContext,
): Promise<{
  readonly producer: string;
  readonly first: number;
  readonly since: number;
  readonly last: number;
}> {
  const newId = `${name}.${randomBytes(4).toString("hex")}`;
  let before: string | undefined;
  for (;;) {
    const reply = await redis.ask(async (client) =>
      run(client, CLAIM, channel, name, owner, newId, await runs.of(client)),
    );
    if (reply[0] === 1) {
      const [, producer, first, since, last] = reply.map(String);
      if (Number(first) > 0) {
        logger.info(
          { event: "producer-goes-on", channel, step, producer, first: Number(first) },
          `the numbers of producer ${name} on ${channel} continue at ${first}`,
        );
      }
      return { producer: String(producer), first: Number(first), since: Number(since), last: Number(last) };
    }
    const [, holder = "", ends, leftMs] = reply.map(String);
    // A publisher that has renewed its claim in between is running.
    if (before !== undefined && ends !== before) throw taken(channel, name, holder, "is using it");
    before = ends;
    logger.info(
      { event: "producer-waiting", channel, step, holder, waitMs: Number(leftMs) },
      `the producer name ${name} on ${channel} is claimed by ${holder}, which may have crashed: waiting ${leftMs} ms for its claim to end`,
    );
    await pause(time, Number(leftMs) + 1, signal);
    signal.throwIfAborted();
  }
}

async function run(
  client: Redis,
  script: string,
  channel: string,
  name: string,
  ...args: readonly (string | number)[]
): Promise<readonly unknown[]> {
  // No producer's name starts with @, so readers do not take it for a record.
  const reply: unknown = await client.eval(script, 1, producersKey(channel), `@${name}`, ...args);
  return listOf(reply);
}

function taken(channel: string, name: string, holder: string, what: string): ProducerNameError {
  return new ProducerNameError(
    `The producer name "${name.replace(/\.\d+$/, "")}" on "${channel}" is not free: the publisher ${holder} (host:process) ${what}. ` +
      "Two publishers would give the same numbers to different events. Stop the other one, or give this one a name of its own " +
      "with --producer (option lastingProducer).",
  );
}
