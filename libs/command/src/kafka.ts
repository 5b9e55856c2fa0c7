import { UsageError } from "@millrace/cli";
import type { KafkaSettings } from "@millrace/cli";
import type { KafkaSink, KafkaSource } from "@millrace/kafka-source";

/** A package that is not installed with the commands. */
const KAFKA = "@millrace/kafka-source";

/** What the commands use of it. */
interface Kafka {
  readonly KafkaSource: typeof KafkaSource;
  readonly KafkaSink: typeof KafkaSink;
}

/** @throws UsageError if it is not installed */
export async function loadKafka(): Promise<Kafka> {
  try {
    const loaded: unknown = await import(KAFKA);
    if (isKafka(loaded)) return loaded;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new UsageError(
      `--transport=kafka needs packages that are not installed; add them: npm install ${KAFKA} @kafkats/client@0.12`,
      { cause: error },
    );
  }
  throw new UsageError(`--transport=kafka: the installed ${KAFKA} is of another version`);
}

/** For messages: the brokers, and whether it is TLS. Never a user or a password. */
export function describeKafka({ brokers, tls }: KafkaSettings): string {
  return `Kafka at ${brokers.join(", ")}${tls === undefined ? "" : " (TLS)"}`;
}

function isKafka(loaded: unknown): loaded is Kafka {
  return typeof loaded === "object" && loaded !== null && "KafkaSource" in loaded && "KafkaSink" in loaded;
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
}
