import { Dataflow } from "@millrace/dataflow";
import { KafkaSink, KafkaSource } from "@millrace/kafka-source";
import type { KafkaConnectionOptions } from "@millrace/kafka-source";

/** Writes everything that is in one topic to another. */
export function echo(kafka: KafkaConnectionOptions, from: string, to: string): Dataflow {
  const flow = new Dataflow("echo");
  flow
    .input("clicks", new KafkaSource(kafka, { topic: from }))
    .output("copies", new KafkaSink(kafka, { topic: to }));
  return flow;
}
