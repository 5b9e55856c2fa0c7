/*
 * What Millrace needs of a Kafka client: one method a request of Kafka's protocol, and batches of records as bytes.
 */
import type { TimeProvider } from "@millrace/dataflow";
import type { BrokerAddress, KafkaTarget } from "./connection-options.ts";

/** The leaders of a topic's partitions, and where the brokers are. */
export interface TopicMetadata {
  /** Changes if the topic is deleted and made again; all zeros from brokers that have none. */
  readonly topicId: string;
  /** The node that leads each partition, by its index; -1: none does now. */
  readonly leaders: readonly number[];
  readonly nodes: ReadonlyMap<number, BrokerAddress>;
}

/** A partition to read from, and where. */
export interface PartitionToRead {
  readonly partition: number;
  readonly offset: number;
}

/** What a broker answered about one partition. */
export interface PartitionAnswer {
  readonly partition: number;
  /** 0: no error. */
  readonly error: number;
  /** The end of the log: the offset after the last record that all replicas have. */
  readonly highWatermark: number;
  /** The first offset that is in the log. */
  readonly logStart: number;
  /** Transactions with records in this answer that were aborted, and where each begins. */
  readonly aborted: readonly AbortedTransaction[];
  /** Batches of records, one after the other; the last one may be cut off. */
  readonly records: Buffer;
}

/** A transaction that was aborted. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** The name and epoch that a broker gives an idempotent producer. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A record to write. */
export interface RecordToWrite {
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: readonly { readonly key: string; readonly value: Buffer }[];
}

/** A member of a group, since the group was last formed. */
export interface GroupMember {
  readonly group: string;
  readonly member: string;
  readonly generation: number;
}

/** A request to join a group. */
export interface GroupToJoin {
  readonly group: string;
  /** Empty: it is no member yet. */
  readonly member: string;
  /** How long a member may be without a heartbeat, and take to join again when the group is formed anew, ms. */
  readonly sessionMs: number;
  /** All members of a group have the same one. */
  readonly protocol: string;
  /** For the leader. */
  readonly metadata: Buffer;
}

/** A group that was formed. */
export interface JoinedGroup {
  readonly member: string;
  readonly generation: number;
  /** All members at their leader, which divides the work; none at the others. */
  readonly members: readonly { readonly member: string; readonly metadata: Buffer }[];
}

/** A member of a group, as its coordinator shows it. */
export interface DescribedMember {
  readonly member: string;
  readonly client: string;
  readonly host: string;
  /** What it has, in the form of Kafka's consumers; empty while the group is formed anew. */
  readonly assignment: Buffer;
}

/** A request for a member's share, in which the leader sends the shares of all. */
export interface GroupToSync extends GroupMember {
  readonly sessionMs: number;
  readonly protocol: string;
  readonly shares: readonly { readonly member: string; readonly assignment: Buffer }[];
}

/** Which end of a log. */
export type LogEnd = "earliest" | "latest" | "stable";

/**
 * One broker, with a connection for reads, which wait at the broker, and one for everything else. Where a request has no answer
 * in time, both are closed, since a connection that has fallen silent may stay so.
 */
export interface BrokerClient {
  /** `false`: it is to be closed, and another one made. */
  readonly connected: boolean;
  metadata(topic: string): Promise<TopicMetadata>;
  read(
    topic: string,
    partitions: readonly PartitionToRead[],
    limits: ReadLimits,
  ): Promise<readonly PartitionAnswer[]>;
  /** The offset of an end of the log: the last one is the high watermark, `stable` the last stable offset. */
  endOf(topic: string, partition: number, which: LogEnd): Promise<number>;
  /** The first record with this time (ms) or a later one; `undefined`: there is none below the last stable offset. */
  firstSince(
    topic: string,
    partition: number,
    time: number,
  ): Promise<{ readonly offset: number; readonly time: number } | undefined>;
  /** @returns the error of each partition, 0: none */
  write(topic: string, batches: ReadonlyMap<number, Buffer>): Promise<ReadonlyMap<number, number>>;
  beginProducer(): Promise<ProducerIdentity>;
  /** The node that keeps a group's offsets. */
  coordinatorOf(group: string): Promise<BrokerAddress & { readonly node: number }>;
  /** Waits until all members have joined again, or have been removed. */
  joinGroup(request: GroupToJoin): Promise<JoinedGroup>;
  /** Waits until the leader has sent the shares. @returns this member's share, empty if the leader does not know it */
  syncGroup(request: GroupToSync): Promise<Buffer>;
  /** @returns whether the group is as it was: `false`, it is formed anew, and this member is to join again */
  heartbeat(member: GroupMember): Promise<boolean>;
  leaveGroup(group: string, member: string): Promise<void>;
  /** @returns none for a group that is not there */
  describeGroup(group: string): Promise<readonly DescribedMember[]>;
  /** Sets offsets of a group without members. */
  commitOffsets(group: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void>;
  /** Requests that wait are rejected. */
  close(): Promise<void>;
}

/** Bounds of one read. */
export interface ReadLimits {
  readonly maxWaitMs: number;
  readonly maxBytesPerPartition: number;
}

/** What is needed of a client besides its connections. */
export interface KafkaClient {
  /** Connects, within `connectTimeoutMs`. @throws KafkaError */
  connect(target: KafkaTarget, address: BrokerAddress, time: TimeProvider): Promise<BrokerClient>;
  /** @param codec the number of a way to compress, from 1 on @throws KafkaRecordsError if no package for it is installed */
  decompress(codec: number, bytes: Buffer): Buffer | Promise<Buffer>;
  /** The checksum (CRC-32C) of a part of the bytes. */
  readonly checksumOf: (bytes: Buffer, from: number, to: number) => number;
  /** One batch of records, without compression. */
  encodeBatch(
    records: readonly RecordToWrite[],
    now: number,
    producer: ProducerIdentity,
    sequence: number,
  ): Buffer;
}
