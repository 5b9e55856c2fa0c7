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

/** Runs the flow over all events to their end, from where the store is. @returns its rows, sorted */
async function rowsOver(store?: RedisStore): Promise<readonly string[]> {
  const source = new TestingSource<KeptEvent>();
  const rows = new TestingSink<unknown>();
  source.push(BEFORE);
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
    expect(FIXTURES).toEqual(["state-1.json"]);
  });

  test.each(FIXTURES)("is continued: %s", async (fixture) => {
    const whole = await rowsOver();
    const rest = await rowsOver(await storeWith(fixture));
    // The rows of `total` for the first three events were there before.
    expect(whole.filter((row) => !rest.includes(row))).toEqual([
      '{"key":"ann","total":10}',
      '{"key":"ann","total":3}',
      '{"key":"bob","total":5}',
    ]);
    expect(rest.length).toBe(whole.length - 3);
  });
});
