import { describe, it } from "@jest/globals";
import { sourceConformance } from "@millrace/dataflow/testing";
import { KafkaSource } from "@millrace/kafka-source";
import type { Suite } from "./bench.ts";

export const conformance: Suite = (bench) => {
  describe("KafkaSource, as any source", () => {
    const cases = sourceConformance({
      resumes: true,
      event: (n) => `{"click_id":${n}}`,
      async open() {
        const { kafka, other } = bench();
        const topic = await other.topic(2);
        return {
          source: new KafkaSource({ brokers: kafka.broker }, { topic }),
          put: (part, events) => other.write(topic, events.map(String), Number(part.split("-").at(-1))),
          close: () => Promise.resolve(),
        };
      },
    });
    for (const { name, run } of cases) it(name, run);
  });
};
