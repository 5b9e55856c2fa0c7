import { UsageError } from "@millrace/cli";
import type { KafkaSettings } from "@millrace/cli";
import type { KafkaSink, KafkaSource, inspectTopic } from "@millrace/kafka-source";
import { importOptional } from "./running/import-optional.ts";

/** A package that is not installed with the commands. */
const KAFKA = "@millrace/kafka-source";

/** What the commands use of it. */
interface Kafka {
  readonly KafkaSource: typeof KafkaSource;
  readonly KafkaSink: typeof KafkaSink;
  readonly inspectTopic: typeof inspectTopic;
}

/** @throws UsageError if it is not installed */
export async function loadKafka(): Promise<Kafka> {
  const loaded = await importOptional(KAFKA, "--transport=kafka", [KAFKA, "@kafkats/client@0.12"]);
  if (isKafka(loaded)) return loaded;
  throw new UsageError(`--transport=kafka: the installed ${KAFKA} is of another version`);
}

/** For messages: the brokers, and whether it is TLS. Never a user or a password. */
export function describeKafka({ brokers, tls }: KafkaSettings): string {
  return `Kafka at ${brokers.join(", ")}${tls === undefined ? "" : " (TLS)"}`;
}

function isKafka(loaded: unknown): loaded is Kafka {
  const used = ["KafkaSource", "KafkaSink", "inspectTopic"];
  return typeof loaded === "object" && loaded !== null && used.every((name) => name in loaded);
}
