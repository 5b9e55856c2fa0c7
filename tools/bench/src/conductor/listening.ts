import { partitionNames } from "@millrace/redis-source";
import { setTimeout as delay } from "node:timers/promises";
import type { Bed, Load } from "./bed.ts";
import type { Consumer } from "./consumer.ts";

const TIMEOUT_MS = 30_000;
const POLL_MS = 50;

/** Resolves when a consumer will get what is published. A stream keeps what comes before; Pub/Sub needs a subscriber. */
export async function listening(bed: Bed, load: Load, channel: string, consumer: Consumer): Promise<void> {
  const { transport, partitions = 1 } = load;
  if (transport === "stream") return;
  const channels = partitionNames(channel, partitions);
  for (const deadline = performance.now() + TIMEOUT_MS; ;) {
    const reply = await bed.client.pubsub("NUMSUB", ...channels);
    // Name, number, name, number, …
    if (reply.every((each, index) => index % 2 === 0 || Number(each) > 0)) return;
    consumer.throwIfEnded();
    if (performance.now() > deadline)
      throw new Error(`Nobody has subscribed to ${channel} in ${TIMEOUT_MS} ms.`);
    await delay(POLL_MS);
  }
}
