import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { TaskKeys, resetTask } from "@millrace/redis-store";
import { CHANNEL, FLOW, HISTORY, LATEST, WINDOW_MS } from "../names.ts";
import type { Bed } from "./bed.ts";
import type { Random } from "./random.ts";
import { parseRow, readResults, rowsOf } from "./read-results.ts";
import type { Results } from "./read-results.ts";

const TASK = Object.freeze({ flow: FLOW, part: CHANNEL });
/** So many windows after the newest one that has rows: not there yet, and there before the next portion is over. */
const WINDOWS_AHEAD = 8;
/** The window engine's own state, of which the watermark is part: every commit of new events writes it. */
const ENGINE = "/engine";
/** Enough for the rows of some windows, revisions of older ones in between. */
const LAST_ROWS = 1_000;
/** Heartbeats may follow the entry that is looked for. */
const LAST_ENTRIES = 100;
const OCCUPY = `
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end
redis.call('SET', KEYS[1], 'another program')`;
const FREE = `
redis.call('UNLINK', KEYS[1])
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('RENAME', KEYS[2], KEYS[1]) end`;
/** Between two looks, which leaves the machine to the programs that it waits for. */
const POLL_MS = 2;
/** No name of the task's. */
const ASIDE = "aside";

/** The aggregator's task in Redis, which the test inspects and damages. */
export class TaskInRedis {
  readonly #url: string;
  readonly #client: Redis;
  readonly #keys = new TaskKeys(TASK);
  /** Id of the last row before the last reset. */
  #historyFrom = "-";

  constructor(bed: Pick<Bed, "url" | "client">) {
    this.#url = bed.url;
    this.#client = bed.client();
  }

  /** Resolves when the stream has the event of this number. */
  async arrived(number: number): Promise<void> {
    const clickId = `"click_id":"${number}@`;
    for (;;) {
      const newest = await this.#client.xrevrange(CHANNEL, "+", "-", "COUNT", LAST_ENTRIES);
      if (newest.some(([, [, message]]) => message?.includes(clickId))) return;
      await delay(POLL_MS);
    }
  }

  /** A key of results that a commit will write to. */
  async resultKey(random: Random): Promise<string> {
    const newest = await this.#newestWindow();
    const history = this.#keys.results(HISTORY);
    if (newest === undefined) return history;
    return random.pick([history, this.#keys.window(LATEST, String((newest + WINDOWS_AHEAD) * WINDOW_MS))]);
  }

  /** A key of state that a commit will write to. */
  async stateKey(random: Random): Promise<string> {
    const engine = (await this.#groupHashes()).filter((hash) => hash.endsWith(ENGINE));
    return random.pick([this.#keys.groups, ...engine]);
  }

  /** Replaces a key by a string. @returns a function that undoes it */
  async occupy(key: string): Promise<() => Promise<void>> {
    await this.#client.eval(OCCUPY, 2, key, ASIDE);
    return async () => {
      await this.#client.eval(FREE, 2, key, ASIDE);
    };
  }

  /** Deletes a key of the state, like an eviction. @returns its name */
  async evict(random: Random): Promise<string> {
    const { groups, meta } = this.#keys;
    const key = random.pick([groups, meta, random.pick(await this.#groupHashes())]);
    await this.#client.unlink(key);
    return key;
  }

  /** Resolves with the next commit, or when `over` does. */
  async nextCommit(over: Promise<unknown>): Promise<void> {
    const waiting = { over: false };
    void over.then(() => (waiting.over = true));
    const number = (): Promise<string | null> => this.#client.hget(this.#keys.meta, "number");
    const before = await number();
    while (!waiting.over && (await number()) === before) await delay(POLL_MS);
  }

  /** Deletes the state, so that the next aggregator reads the stream from its beginning. */
  async reset(results: "remove-results" | "keep-results"): Promise<void> {
    const removed = results === "remove-results";
    this.#historyFrom = removed ? "-" : await this.historyEnd();
    await resetTask({ url: this.#url }, TASK, { results: removed });
  }

  /** Where the history ends, for {@link history}. */
  async historyEnd(): Promise<string> {
    const [last] = await this.#client.xrevrange(this.#keys.results(HISTORY), "+", "-", "COUNT", 1);
    return last === undefined ? "-" : `(${last[0]}`;
  }

  /** Rows of the history, from an entry on, as text. */
  history(from: string): Promise<readonly string[]> {
    return rowsOf(this.#client, this.#keys.results(HISTORY), from);
  }

  /** All rows since the last reset. */
  results(): Promise<Results> {
    return readResults(this.#client, this.#keys, this.#historyFrom);
  }

  close(): void {
    this.#client.disconnect();
  }

  async #groupHashes(): Promise<readonly string[]> {
    return (await this.#client.keys(`${this.#keys.group("")}*`)).sort();
  }

  /** The latest window with a row; `undefined`: there is none yet. */
  async #newestWindow(): Promise<number | undefined> {
    const last = await this.#client.xrevrange(this.#keys.results(HISTORY), "+", "-", "COUNT", LAST_ROWS);
    const windows = last.map(([, fields]) => parseRow(fields[1] ?? "").window);
    return windows.length === 0 ? undefined : Math.max(...windows);
  }
}
