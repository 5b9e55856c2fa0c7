export { whyWithoutKafka } from "./why-without-kafka.ts";
export { LocalKafkaError } from "./local-kafka-error.ts";
export { startKafka } from "./start-kafka.ts";

export type { LocalKafkaErrorCode } from "./local-kafka-error.ts";
export type { KafkaProgram, LocalKafka, LocalKafkaOptions } from "./start-kafka.ts";
export type { ListenerSpec } from "./properties.ts";
