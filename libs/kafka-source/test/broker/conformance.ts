import { describe, it } from "@jest/globals";
import { sinkConformance, sourceConformance } from "@millrace/dataflow/testing";
import { KafkaSink, KafkaSource } from "@millrace/kafka-source";
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

  describe("KafkaSink, as any sink", () => {
    const cases = sinkConformance<string | Uint8Array>({
      resumes: false,
      row: (n) => `{"row":${n}}`,
      async open() {
        const { kafka, other } = bench();
        const topic = await other.topic();
        return {
          sink: new KafkaSink({ brokers: kafka.broker }, { topic }),
          read: () => other.valuesOf(topic),
          close: () => Promise.resolve(),
        };
      },
    });
    for (const { name, run } of cases) it(name, run);
  });
};
