import { LocalKafkaError } from "./local-kafka-error.ts";
import { startKafka } from "./start-kafka.ts";

/* A broker on localhost:9092, or the port in KAFKA_PORT, with the topic of the guide, until it is asked to end. Nothing is kept. */

const TOPIC = "clicks";
const PARTITIONS = 3;

const port = Number(process.env["KAFKA_PORT"] ?? "") || 9_092;

const stopRequest = new Promise<void>((resolve) => {
  // Permanent listeners, since the signal may arrive several times.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      resolve();
    });
  }
});

try {
  say("starting; the first time Maven fetches Kafka, 44 MB");
  const kafka = await startKafka({ port });
  const topic = ["--create", "--topic", TOPIC, "--partitions", String(PARTITIONS)];
  const args = ["--bootstrap-server", kafka.broker, ...topic];
  await kafka.run({ main: "org.apache.kafka.tools.TopicCommand", args });
  say(
    `Kafka started on localhost:${port}, with a topic "${TOPIC}" of ${PARTITIONS} partitions (nothing is kept when it ends)`,
  );
  const alive = setInterval(() => undefined, 2 ** 30);
  await stopRequest;
  clearInterval(alive);
  await kafka.stop();
} catch (error) {
  if (!(error instanceof LocalKafkaError)) throw error;
  say(error.message);
  process.exitCode = 1;
}

function say(sentence: string): void {
  console.error(`kafka: ${sentence}`);
}
