import type { Mutant } from "../mutant.ts";

/** Mutants of libs/redis-source. */
export const REDIS_SOURCE: readonly Mutant[] = [
  {
    id: "read-growth",
    file: "libs/redis-source/src/stream/read-size.ts",
    search: "      this.#entries * FASTEST_GROWTH,\n",
    replace: "",
    tests: ["libs/redis-source/test/stream/read-size.test.ts"],
    guard: "a batch of small entries would lead to a huge one where large entries follow",
  },
  {
    id: "wait-without-look",
    file: "libs/redis-source/src/stream/stream-partition.ts",
    search: "if (this.#place.id !== id || this.#reading.number !== number) return [];",
    replace: "if (this.#place.id !== id) return [];",
    tests: ["libs/redis-source/test/stream/outage.test.ts"],
    guard: "what a failover lost between a look and the read that waits would not be counted",
  },
  {
    id: "paused-drain-cut",
    file: "libs/redis-source/src/pubsub/pubsub-partition.ts",
    search: "if (this.#paused === undefined || this.#ended) resolve();",
    replace: "if (this.#connection !== undefined || this.#ended) resolve();",
    tests: ["libs/redis-source/test/pubsub/shutdown.test.ts"],
    guard: "a stop would drop what a full queue had left in the socket",
  },
  {
    id: "silence-after-an-outage",
    file: "libs/redis-source/src/delivery/producer-ledger.ts",
    search: "Math.max(heardUpTo, this.#interruptedAt)",
    replace: "heardUpTo",
    tests: ["libs/redis-source/test/delivery/producer-ledger.test.ts"],
    guard: "a window would count as complete though a producer was not heard since the outage",
  },
  {
    id: "flights-overtaken",
    file: "libs/redis-source/src/pubsub/publish-all.ts",
    search: "    await Promise.all(flying.map(({ heard }) => heard));\n",
    replace: "",
    tests: [
      "libs/redis-source/test/pubsub/scripts.test.ts",
      "libs/redis-source/test/pubsub/pubsub-sink.test.ts",
    ],
    guard: "messages that are sent again would overtake those still under way",
  },
];
