import { json, string } from "@kafkats/client";
import { flow, TimeWindows, topic } from "@kafkats/flow";
import type { ClickEvent } from "@millrace/event-schema";
import { WINDOW_MS } from "../lab/tally.ts";
import { printRows } from "./common.ts";

/*
 * The same count as a topology of @kafkats/flow. It shows each change of a sum, of which the last ones are printed once a
 * window's length, as differences. Grouping by a value does not write to Kafka there. Without a changelog it takes less, and
 * loses its sums when it ends. Arguments: broker, topic, "changelog" or "memory".
 */
const [broker = "", name = "", state] = process.argv.slice(2);
const app = flow({
  applicationId: "bench",
  client: { clientId: "bench", brokers: [broker], logLevel: "silent" },
  // It is paused while the events are published.
  consumer: { sessionTimeoutMs: 120_000, maxRecords: 10_000 },
});
const sums = new Map<string, number>();
const printed = new Map<string, number>();
app
  .stream(topic(name, { key: string(), value: json<ClickEvent>() }), { offsetReset: "earliest" })
  .groupBy((_key, click) => click?.os_timezone ?? "", { key: string() })
  .windowedBy(TimeWindows.of(WINDOW_MS))
  .aggregate(
    () => 0,
    (_zone, click, sum) => sum + Number(click.device_is_mobile),
    { value: json<number>(), changelog: state === "changelog" },
  )
  .toStream()
  .peek((windowed, sum) => {
    if (windowed !== null && sum !== null) sums.set(`${windowed.window.start} ${windowed.key}`, sum);
  });
setInterval(() => {
  for (const [id, sum] of sums) {
    const more = sum - (printed.get(id) ?? 0);
    if (more > 0) printRows(new Map([[id.slice(id.indexOf(" ") + 1), more]]));
    printed.set(id, sum);
  }
}, WINDOW_MS);
await app.start();
