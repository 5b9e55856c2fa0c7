import { readFile, readdir } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import { run } from "@millrace/dataflow";
import { TestingSink, TestingSource } from "@millrace/dataflow/testing";
import type { RedisStore } from "@millrace/redis-store";
import { clientOf, serverOf, storeOf } from "../support/servers.ts";
import { AFTER, BEFORE, keptFlow } from "./kept-flow.ts";
import type { KeptEvent } from "./kept-flow.ts";

/** The hashes of a Redis as they were after `BEFORE`, by key. */
type Dump = Readonly<Record<string, Readonly<Record<string, string>>>>;

const FIXTURES = (await readdir(import.meta.dirname)).filter((name) => name.endsWith(".json"));

/** The rows of `total` for the first three events, which were there before. */
const BEFORE_ROWS = ['{"key":"ann","total":10}', '{"key":"ann","total":3}', '{"key":"bob","total":5}'];

/**
 * Runs the flow over all events to their end, from where the store is.
 *
 * @param before the batches in which the fixture read the first events
 * @returns its rows, sorted
 */
async function rowsOver(store?: RedisStore, before = [BEFORE]): Promise<readonly string[]> {
  const source = new TestingSource<KeptEvent>();
  const rows = new TestingSink<unknown>();
  for (const batch of before) source.push(batch);
  source.push(AFTER);
  source.end();
  await run(keptFlow(source, rows), store === undefined ? {} : { store });
  return rows.rows.map((row) => JSON.stringify(row)).sort();
}

async function storeWith(fixture: string): Promise<RedisStore> {
  const server = await serverOf();
  const client = clientOf(server);
  const text = await readFile(new URL(fixture, import.meta.url), "utf8");
  for (const [key, fields] of Object.entries(JSON.parse(text) as Dump)) await client.hset(key, fields);
  return storeOf(server);
}

describe("state of an earlier version", () => {
  test("has a fixture for each format", () => {
    expect(FIXTURES).toEqual(["state-1.json", "state-2.json"]);
  });

  test("is continued: state-1.json", async () => {
    const whole = await rowsOver();
    const rest = await rowsOver(await storeWith("state-1.json"));
    expect(whole.filter((row) => !rest.includes(row))).toEqual(BEFORE_ROWS);
    expect(rest.length).toBe(whole.length - BEFORE_ROWS.length);
  });

  test("is continued: state-2.json, where the sessions began long after all events", async () => {
    const whole = await rowsOver();
    const rest = await rowsOver(await storeWith("state-2.json"), [BEFORE.slice(0, 1), BEFORE.slice(1)]);
    const sessions = whole.filter((row) => !rest.includes(row) && !BEFORE_ROWS.includes(row));
    expect(sessions.map((row) => JSON.parse(row) as unknown)).toEqual([
      expect.objectContaining({ key: "ann", window: expect.objectContaining({ open: 1_000, close: 3_000 }) }),
      expect.objectContaining({ key: "bob", window: expect.objectContaining({ open: 2_000, close: 4_000 }) }),
      expect.objectContaining({ key: "cid", window: expect.objectContaining({ open: 172_800_000 }) }),
    ]);
    expect(rest.length).toBe(whole.length - BEFORE_ROWS.length - sessions.length);
  });
});
