import { readFile } from "node:fs/promises";
import { expect, test } from "@jest/globals";
import { Dataflow, run } from "@millrace/dataflow";
import { TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { count, eventTime, migrated, sum, tumbling } from "@millrace/windowing";
import { clientOf, serverOf, storeOf } from "../support/servers.ts";
import { AFTER, BEFORE } from "./kept-flow.ts";
import type { KeptEvent } from "./kept-flow.ts";

const DROPPED = ["seen", "days.amounts", "days.both", "days.largest", "visits", "own_time"];

/** A later version of the flow of the fixture: two steps are left, under other ids and with other state. */
function laterFlow(source: TestingSource<KeptEvent>, rows: TestingSink<unknown>): Dataflow {
  const flow = new Dataflow("kept");
  const keyed = flow.input("clicks", source).keyBy("user");
  const clock = eventTime<KeptEvent>(({ at }) => at, { wait: 0, maxFuture: "unbounded" });
  keyed
    .window("per_day", tumbling("1d"), clock, { formerly: "days" })
    .fold(
      "events",
      migrated(
        sum(({ amount }: KeptEvent) => amount),
        count(),
        (events) => events * 1_000,
      ),
    )
    .map(({ key, value }) => ({ key, value }))
    .output("amounts", rows);
  keyed
    .statefulMap(
      "spent",
      () => ({ amount: 0 }),
      ({ amount: before }, { amount }, key) => [{ amount: before + amount }, { key, spent: before + amount }],
      { formerly: "total", version: 2, migrate: (old) => ({ amount: Number(old) }) },
    )
    .output("spending", rows);
  return flow;
}

test("a later version continues with what Redis keeps, under the ids and in the form of its own", async () => {
  const server = await serverOf();
  const client = clientOf(server);
  const text = await readFile(new URL("state-1.json", import.meta.url), "utf8");
  const dump = JSON.parse(text) as Readonly<Record<string, Readonly<Record<string, string>>>>;
  for (const [key, fields] of Object.entries(dump)) await client.hset(key, fields);

  const source = new TestingSource<KeptEvent>();
  const rows = new TestingSink<unknown>();
  source.push(BEFORE);
  source.push(AFTER.slice(0, 2));
  const store = storeOf(server);
  const idle = { exitWhenIdleMs: 20, idleFrom: "start" } as const;
  await run(laterFlow(source, rows), { store, dropState: DROPPED, ...idle });
  expect(rows.take()).toEqual(
    expect.arrayContaining([
      { key: "bob", spent: 10 },
      { key: "bob", spent: 21 },
    ]),
  );
  const groups = (await client.keys("*:group:*")).map((key) => key.slice(key.indexOf(":group:") + 7));
  expect(groups.sort()).toEqual(["per_day.events/0", "per_day.events/engine", "spent/keys"]);
  expect(await client.hgetall("millrace:{testing}:kept:group:spent/keys")).toEqual({
    ann: '{"state":{"amount":10}}',
    bob: '{"state":{"amount":21}}',
  });

  // The next run finds it whole.
  source.push(AFTER.slice(2));
  source.end();
  await run(laterFlow(source, rows), { store });
  expect(rows.rows).toEqual(
    expect.arrayContaining([
      { key: "ann", value: 2_000 },
      { key: "bob", value: 1_016 },
      { key: "cid", value: 13 },
    ]),
  );
});
