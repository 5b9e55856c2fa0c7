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

/** A publisher that has not renewed its claim for so long has none: after a crash the next one waits no longer. */
const LEASE_MS = 3_000;
const RENEW_EVERY_MS = LEASE_MS / 3;
/** A name that no publisher has had for so long is deleted by the next one that claims another. */
const NAMES_KEPT_MS = 7 * 86_400_000;
/** Stands where a value is not known or not there. */
const NONE = "-";

/**
 * What is kept: `<id> <next> <since> <owner> <until> <run> <last>`; `until` is when the claim ends or ended, by the clock of
 * Redis, ms; `since` and `last` are publish times of the first message and of the latest, ms.
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

/** ARGV: field, owner, id, next, since, run, last. @returns whether the claim stands, and else who has it */
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
 * The numbers of a producer whose name lasts: whoever claims the name goes on where the last one ended, so that readers
 * keep one account for all of them.
 *
 * Numbers are reserved in Redis before any message carries them, and only by the one who holds the name. So no number is
 * given twice, whoever crashes or stops when; and what a publisher had numbered and not sent leaves a gap, which readers
 * count as lost.
 *
 * Under the name is kept the id by which readers know the producer. Redis may forget what it had: then the numbers are not
 * known any more. So where there is no record, or Redis has started anew since, the numbers begin at 0 with a new id.
 */
export class LastingNumbers {
  /** By which readers know the producer. */
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
   * Claims the name on a channel or stream; where the last one who had it has crashed, once its claim has ended.
   *
   * @throws ProducerNameError when another publisher has it; RedisError; the reason of the context's signal
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

  /** Publish time (ms) of the latest message that may have been sent, below which none may follow; 0: there was none. */
  get last(): number {
    return this.#last;
  }

  /**
   * Makes all numbers up to `next` this publisher's own, and renews the claim.
   *
   * @param publishedAtMs of the first message that is to carry them
   * @param lastMs of the last one
   * @throws ProducerNameError when another publisher has the name now; RedisError
   */
  async reserve(next: number, publishedAtMs: number, lastMs = publishedAtMs): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#next = next;
    if (this.#since === 0) this.#since = publishedAtMs;
    this.#last = Math.max(this.#last, lastMs);
    await this.#keep();
  }

  /** Gives the name up for the next one. It never rejects. */
  async release(): Promise<void> {
    this.#cancelRenewal?.();
    if (this.#failure === undefined && !this.#closed) {
      await this.#redis.ask((client) => this.#run(client, RELEASE)).catch(() => undefined);
    }
    await this.close();
  }

  /** Leaves the claim to end by itself; settles whoever waits. Idempotent. */
  close(): Promise<void> {
    this.#closed = true;
    this.#cancelRenewal?.();
    return this.#redis.close();
  }

  async #keep(): Promise<void> {
    this.#renewedAt = this.#context.time.monotonic();
    const [stands, other] = await this.#redis.ask(async (client) =>
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
    if (stands === 1) return;
    throw taken(this.#channel, this.#name, String(other), "has taken it over since");
  }

  /** A publisher that waits, for room or for events, has its name all the same. */
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

/** What a server calls the time since it was started: what it had before may be older than what it had said. */
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
    // Renamed, or not allowed.
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
          `the numbers of producer ${name} on ${channel} go on at ${first}`,
        );
      }
      return { producer: String(producer), first: Number(first), since: Number(since), last: Number(last) };
    }
    const [, holder = "", ends, leftMs] = reply.map(String);
    // Who has renewed it in the meantime is running.
    if (before !== undefined && ends !== before) throw taken(channel, name, holder, "is using it");
    before = ends;
    logger.info(
      { event: "producer-waiting", channel, step, holder, waitMs: Number(leftMs) },
      `the producer name ${name} on ${channel} was ${holder}'s, which may have crashed: waiting ${leftMs} ms for its claim to end`,
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
  // No producer has such a name, so that readers take it for no record.
  const reply: unknown = await client.eval(script, 1, producersKey(channel), `@${name}`, ...args);
  return listOf(reply);
}

function taken(channel: string, name: string, holder: string, what: string): ProducerNameError {
  return new ProducerNameError(
    `The producer name "${name.replace(/\.\d+$/, "")}" on "${channel}" is not free: the publisher ${holder} (host:process) ${what}. ` +
      "Two publishers would give the same numbers to different events. End the other one, or give this one a name of its own " +
      "with --producer (option lastingProducer).",
  );
}
