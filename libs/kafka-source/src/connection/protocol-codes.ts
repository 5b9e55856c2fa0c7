import { KafkaAuthError, KafkaNotReadyError, KafkaRefusedError, KafkaTopicError } from "../errors.ts";
import type { KafkaError } from "../errors.ts";

/** Numbers of errors in Kafka's protocol that this library acts on. */
export const CODES = Object.freeze({
  unknownServerError: -1,
  none: 0,
  offsetOutOfRange: 1,
  unknownTopic: 3,
  messageTooLarge: 10,
  illegalGeneration: 22,
  inconsistentGroupProtocol: 23,
  unknownMember: 25,
  rebalanceInProgress: 27,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  invalidProducerIdMapping: 49,
  unknownProducer: 59,
  unknownGroup: 69,
  memberIdRequired: 79,
});

/** Another broker is the right one now, or this one soon is: to ask for the leaders again, and to repeat the request. */
const NOT_READY: Readonly<Record<number, string>> = {
  5: "the partition has no leader",
  6: "the broker is not the partition's leader",
  7: "the broker ran out of time",
  8: "the broker is not available",
  9: "the replica is not available",
  13: "the broker lost a connection",
  14: "the coordinator is loading",
  15: "there is no coordinator",
  16: "the broker is not the coordinator",
  19: "too few replicas are in sync",
  20: "too few replicas were in sync",
  41: "the broker is not the controller",
  56: "the broker cannot reach its disk",
  74: "the partition has another leader",
  75: "the broker does not know the leader yet",
  76: "the broker does not know the leader yet",
  78: "the leader does not know the end of its log yet",
  89: "the broker asks to slow down",
};

const REFUSED: Readonly<Record<number, string>> = {
  2: "the records are damaged",
  10: "the message is larger than the topic allows; raise max.message.bytes of the topic, or send smaller ones",
  17: "the name is not one of a topic",
  18: "the batch is larger than the broker's segments",
  24: "the name is not one of a group",
  25: "the group has members that read by themselves; choose another name with --group (option group)",
  26: "the broker does not accept this time of a session; give one within group.min.session.timeout.ms (6 s, unless it is set) and group.max.session.timeout.ms",
  29: "this user has no permission for the topic",
  30: "this user has no permission for the group",
  31: "this user has no permission for the cluster",
  32: "the timestamp is outside of what the topic accepts",
  35: "the broker does not know this version of the request; use a newer one, such as Kafka 4",
  87: "the broker does not accept the record; a compacted topic needs keys",
};

/** The error of an answer. @param what was asked, and of which topic, such as `a read of topic "clicks"` */
export function errorOf(code: number, what: string): KafkaError {
  const notReady = NOT_READY[code];
  if (notReady !== undefined) return new KafkaNotReadyError(`Kafka refused ${what} for now: ${notReady}.`);
  if (code === CODES.unknownTopic) {
    return new KafkaTopicError(
      `Kafka refused ${what}: there is no such topic, or this user may not see it. Create it with kafka-topics --create, or check its name.`,
    );
  }
  if (code === 33 || code === 34 || code === 58) return new KafkaAuthError(`Kafka refused ${what}.`);
  return new KafkaRefusedError(`Kafka refused ${what}: ${REFUSED[code] ?? `error ${code}`}.`, code);
}
