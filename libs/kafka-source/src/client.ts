/*
 * The Kafka client, @kafkats/client, and the only file that names it. It is used below its own consumer and producer: one
 * method a request of Kafka's protocol, and batches of records as bytes. What is used here is all that another client
 * would have to offer.
 */
import { createRequire } from "node:module";
import { isIP } from "node:net";
import type * as Kafkats from "@kafkats/client";
import type { BrokerAddress, KafkaTarget } from "./connection/connection-options.ts";
import { CODES, errorOf } from "./connection/protocol-codes.ts";
import {
  KafkaAuthError,
  KafkaClientMissingError,
  KafkaClosedError,
  KafkaError,
  KafkaRecordsError,
  KafkaRefusedError,
  KafkaTlsError,
  KafkaUnreachableError,
} from "./errors.ts";
import { crc32c } from "./source/crc32c.ts";

/** A broker may take this long (ms) to answer, besides the wait that a read asks for. */
const ANSWER_MS = 10_000;
/** How long (ms) a broker may wait for its replicas. */
const REPLICAS_MS = 30_000;
/** In answers without a limit of their own, so that one answer does not fill the memory. */
const MOST_BYTES = 50 * 1_024 * 1_024;

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

/** A request for a member's share, in which the leader sends the shares of all. */
export interface GroupToSync extends GroupMember {
  readonly sessionMs: number;
  readonly protocol: string;
  readonly shares: readonly { readonly member: string; readonly assignment: Buffer }[];
}

/** Which end of a log. */
export type LogEnd = "earliest" | "latest" | "stable";

/** One broker, with a connection for reads, which wait at the broker, and one for everything else. */
export interface BrokerClient {
  readonly connected: boolean;
  metadata(topic: string): Promise<TopicMetadata>;
  read(
    topic: string,
    partitions: readonly PartitionToRead[],
    limits: ReadLimits,
  ): Promise<readonly PartitionAnswer[]>;
  /** The offset of an end of the log: the last one is the high watermark, `stable` the last stable offset. */
  endOf(topic: string, partition: number, which: LogEnd): Promise<number>;
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
  /** Connects. @throws KafkaError */
  connect(target: KafkaTarget, address: BrokerAddress): Promise<BrokerClient>;
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

/** Loads the client's package. @throws KafkaClientMissingError */
export async function loadKafkaClient(): Promise<KafkaClient> {
  let kafkats: typeof Kafkats;
  try {
    kafkats = await import("@kafkats/client");
  } catch (error) {
    throw new KafkaClientMissingError(
      "The Kafka client is not installed. Install it beside Millrace: npm install @kafkats/client@0.12",
      { cause: error },
    );
  }
  return {
    async connect(target, address) {
      const broker = new kafkats.Broker({ ...address, ...settingsOf(target, address), nodeId: 0 });
      const at = `${address.host}:${address.port}`;
      try {
        await broker.connect();
      } catch (error) {
        await closeAtOnce(broker);
        throw explained(error, `a connection to ${at}`, target);
      }
      return new KafkatsBroker(broker, at, target);
    },
    decompress(codec, bytes) {
      const { Gzip, Snappy, Lz4, Zstd } = kafkats.CompressionType;
      const type = [Gzip, Snappy, Lz4, Zstd][codec - 1];
      const found = type === undefined ? undefined : kafkats.compressionCodecs.get(type);
      if (found !== undefined) return found.decompress(bytes);
      throw new KafkaRecordsError(
        `The topic's records are compressed with ${CODECS[codec] ?? `codec ${codec}`}, for which no package is installed. ` +
          "Install one beside the client: snappyjs for snappy, lz4js for lz4, zstd-napi for zstd; gzip needs none.",
      );
    },
    // With @node-rs/crc32 the client's is compiled code; without it, ours is faster.
    checksumOf: hasModule("@node-rs/crc32")
      ? (bytes, from, to) => kafkats.crc32c(bytes, from, to - from)
      : crc32c,
    encodeBatch: (records, now, producer, sequence) =>
      kafkats.encodeRecordBatchSync({
        baseOffset: 0n,
        partitionLeaderEpoch: -1,
        magic: 2,
        attributes: 0,
        lastOffsetDelta: records.length - 1,
        baseTimestamp: BigInt(now),
        maxTimestamp: BigInt(now),
        ...producer,
        baseSequence: sequence,
        records: records.map(({ key, value, headers }, i) => ({
          attributes: 0,
          timestampDelta: 0,
          offsetDelta: i,
          key,
          value,
          headers: [...headers],
        })),
      }),
  };
}

function hasModule(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

const CODECS: Readonly<Record<number, string>> = { 1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd" };

class KafkatsBroker implements BrokerClient {
  readonly #broker: Kafkats.Broker;
  readonly #address: string;
  readonly #target: KafkaTarget;
  #closed = false;

  constructor(broker: Kafkats.Broker, address: string, target: KafkaTarget) {
    this.#broker = broker;
    this.#address = address;
    this.#target = target;
  }

  get connected(): boolean {
    return !this.#closed && this.#broker.isConnected;
  }

  async metadata(name: string): Promise<TopicMetadata> {
    const what = `a look at topic "${name}"`;
    const { topics, brokers } = await this.#ask(what, () =>
      this.#broker.metadata({ topics: [{ name }], allowAutoTopicCreation: false }),
    );
    const topic = topics.find((each) => each.name === name);
    if (topic === undefined) throw errorOf(CODES.unknownTopic, what);
    requireNone(topic.errorCode, what);
    const leaders = [...topic.partitions]
      .sort((a, b) => a.partitionIndex - b.partitionIndex)
      .map(({ leaderId }) => leaderId);
    return {
      topicId: topic.topicId,
      leaders,
      nodes: new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }])),
    };
  }

  async read(
    topic: string,
    partitions: readonly PartitionToRead[],
    { maxWaitMs, maxBytesPerPartition }: ReadLimits,
  ): Promise<readonly PartitionAnswer[]> {
    const what = `a read of topic "${topic}"`;
    const { errorCode, topics } = await this.#ask(what, () =>
      this.#broker.fetch({
        maxWaitMs,
        minBytes: 1,
        maxBytes: MOST_BYTES,
        // Only what is committed.
        isolationLevel: 1,
        topics: [
          {
            topic,
            partitions: partitions.map(({ partition, offset }) => ({
              partitionIndex: partition,
              fetchOffset: BigInt(offset),
              partitionMaxBytes: maxBytesPerPartition,
            })),
          },
        ],
      }),
    );
    requireNone(errorCode, what);
    return topics.flatMap((answered) =>
      answered.partitions.map((part) => ({
        partition: part.partitionIndex,
        error: part.errorCode,
        highWatermark: Number(part.highWatermark),
        logStart: Number(part.logStartOffset),
        aborted: part.abortedTransactions.map(({ producerId, firstOffset }) => ({
          producerId,
          firstOffset: Number(firstOffset),
        })),
        records: part.recordsData ?? NOTHING,
      })),
    );
  }

  async endOf(name: string, partitionIndex: number, which: LogEnd): Promise<number> {
    const what = `a look at the end of topic "${name}"`;
    const timestamp = which === "earliest" ? -2n : -1n;
    const { topics } = await this.#ask(what, () =>
      this.#broker.listOffsets({
        isolationLevel: which === "stable" ? 1 : 0,
        topics: [{ name, partitions: [{ partitionIndex, timestamp }] }],
      }),
    );
    const answer = topics[0]?.partitions[0];
    if (answer === undefined) throw errorOf(CODES.unknownServerError, what);
    requireNone(answer.errorCode, what);
    return Number(answer.offset);
  }

  async write(name: string, batches: ReadonlyMap<number, Buffer>): Promise<ReadonlyMap<number, number>> {
    const partitions = Array.from(batches, ([partitionIndex, records]) => ({ partitionIndex, records }));
    const { topics } = await this.#ask(`a write to topic "${name}"`, () =>
      this.#broker.produce({ acks: -1, timeoutMs: REPLICAS_MS, topics: [{ name, partitions }] }),
    );
    const answers = topics.flatMap((topic) => topic.partitions);
    return new Map(answers.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]));
  }

  async beginProducer(): Promise<ProducerIdentity> {
    const what = "a new producer";
    const { errorCode, producerId, producerEpoch } = await this.#ask(what, () =>
      this.#broker.initProducerId({ transactionalId: null, transactionTimeoutMs: 0 }),
    );
    requireNone(errorCode, what);
    return { producerId, producerEpoch };
  }

  async coordinatorOf(group: string): Promise<BrokerAddress & { readonly node: number }> {
    const what = `a look at group "${group}"`;
    const answer = await this.#ask(what, () =>
      this.#broker.findCoordinator({ key: group, keyType: 0, coordinatorKeys: [group] }),
    );
    const { errorCode, nodeId, host, port } = answer.coordinators?.[0] ?? answer;
    requireNone(errorCode, what);
    return { node: nodeId, host, port };
  }

  async joinGroup(request: GroupToJoin): Promise<JoinedGroup> {
    const { group, member, sessionMs, protocol, metadata } = request;
    const what = `a member of group "${group}"`;
    const { errorCode, memberId, generationId, members } = await this.#ask(what, () =>
      this.#broker.joinGroup({
        groupId: group,
        memberId: member,
        sessionTimeoutMs: sessionMs,
        rebalanceTimeoutMs: sessionMs,
        protocolType: GROUP_TYPE,
        protocols: [{ name: protocol, metadata }],
      }),
    );
    // A new member gets a name first, so that one whose answer is lost does not stay in the group.
    const code: number = errorCode;
    if (code === CODES.memberIdRequired && member === "")
      return this.joinGroup({ ...request, member: memberId });
    requireNone(errorCode, what);
    return {
      member: memberId,
      generation: generationId,
      members: members.map((each) => ({ member: each.memberId, metadata: each.metadata })),
    };
  }

  async syncGroup(request: GroupToSync): Promise<Buffer> {
    const { group, member, generation, sessionMs, protocol, shares } = request;
    const what = `a share of group "${group}"`;
    const { errorCode, assignment } = await this.#ask(what, () =>
      this.#broker.syncGroup(
        {
          groupId: group,
          memberId: member,
          generationId: generation,
          protocolType: GROUP_TYPE,
          protocolName: protocol,
          assignments: shares.map((share) => ({ memberId: share.member, assignment: share.assignment })),
        },
        sessionMs,
      ),
    );
    requireNone(errorCode, what);
    return assignment;
  }

  async heartbeat({ group, member, generation }: GroupMember): Promise<boolean> {
    const what = `a heartbeat in group "${group}"`;
    const { errorCode } = await this.#ask(what, () =>
      this.#broker.heartbeat({ groupId: group, memberId: member, generationId: generation }),
    );
    const code: number = errorCode;
    if (code === CODES.rebalanceInProgress) return false;
    requireNone(code, what);
    return true;
  }

  async leaveGroup(group: string, member: string): Promise<void> {
    const what = `the leave of a member of group "${group}"`;
    const { errorCode, members } = await this.#ask(what, () =>
      this.#broker.leaveGroup({ groupId: group, memberId: member, members: [{ memberId: member }] }),
    );
    requireNone(errorCode, what);
    for (const each of members) requireNone(each.errorCode, what);
  }

  async commitOffsets(group: string, name: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    const what = `the offsets of group "${group}"`;
    const partitions = Array.from(offsets, ([partitionIndex, offset]) => ({
      partitionIndex,
      committedOffset: BigInt(offset),
    }));
    const { topics } = await this.#ask(what, () =>
      this.#broker.offsetCommit({
        groupId: group,
        generationId: -1,
        memberId: "",
        topics: [{ name, partitions }],
      }),
    );
    for (const { errorCode } of topics.flatMap((topic) => topic.partitions)) requireNone(errorCode, what);
  }

  close(): Promise<void> {
    this.#closed = true;
    return closeAtOnce(this.#broker);
  }

  async #ask<T>(what: string, ask: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new KafkaClosedError(`the connection to ${this.#address} was closed`);
    try {
      return await ask();
    } catch (error) {
      throw explained(error, `${what} at ${this.#address}`, this.#target);
    }
  }
}

/** Of groups whose members Kafka's own tools can show. */
const GROUP_TYPE = "consumer";
const NOTHING = Buffer.alloc(0);

function requireNone(code: number, what: string): void {
  if (code !== CODES.none) throw errorOf(code, what);
}

function settingsOf(
  { clientId, tls, sasl, connectTimeoutMs }: KafkaTarget,
  { host }: BrokerAddress,
): Pick<Kafkats.BrokerConfig, "clientId" | "connectionTimeoutMs" | "requestTimeoutMs" | "tls" | "sasl"> {
  const { ca, cert, key, passphrase } = tls ?? {};
  return {
    clientId,
    connectionTimeoutMs: connectTimeoutMs,
    requestTimeoutMs: ANSWER_MS,
    ...(tls === undefined
      ? {}
      : {
          tls: {
            enabled: true,
            // TLS has no names for addresses; the certificate is still checked against the address.
            servername: isIP(host) === 0 ? host : "",
            ...(ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }),
            ...(cert === undefined ? {} : { cert }),
            ...(key === undefined ? {} : { key }),
            ...(passphrase === undefined ? {} : { passphrase }),
          },
        }),
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
  };
}

function saslOf(sasl: NonNullable<KafkaTarget["sasl"]>): NonNullable<Kafkats.BrokerConfig["sasl"]> {
  if (sasl.mechanism === "oauthbearer") {
    const oauthBearerProvider = async (): Promise<{ value: string }> => ({ value: await sasl.token() });
    return { mechanism: "OAUTHBEARER", oauthBearerProvider };
  }
  const { username, password } = sasl;
  switch (sasl.mechanism) {
    case "plain":
      return { mechanism: "PLAIN", username, password };
    case "scram-sha-256":
      return { mechanism: "SCRAM-SHA-256", username, password };
    case "scram-sha-512":
      return { mechanism: "SCRAM-SHA-512", username, password };
  }
}

/** The client's own close waits up to 5 s for requests in flight, and a read is always in flight. */
async function closeAtOnce(broker: Kafkats.Broker): Promise<void> {
  for (const name of ["fetchConnection", "connection"]) {
    const connection: unknown = Reflect.get(broker, name);
    if (typeof connection === "object" && connection !== null) {
      const close: unknown = Reflect.get(connection, "close");
      if (typeof close === "function") await Reflect.apply(close, connection, [false]);
    }
  }
  await broker.disconnect();
}

/** The client's error as one of ours. */
function explained(error: unknown, what: string, { tls, sasl }: KafkaTarget): KafkaError {
  if (error instanceof KafkaError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const reasons = [message, codeOf(error), codeOf(causeOf(error))].join(" ");
  if (AUTH.test(name)) {
    const remedy = "Check user name, password and mechanism.";
    return new KafkaAuthError(`Kafka refused ${what}: ${message}. ${remedy}`);
  }
  if (tls !== undefined && TLS.test(reasons)) {
    return new KafkaTlsError(
      `TLS failed for ${what}: ${message}. Check that the port is one with TLS, and that ca trusts the broker's certificate.`,
      { cause: error },
    );
  }
  if (name === "UnsupportedVersionError") {
    return new KafkaRefusedError(
      `Kafka refused ${what}: ${message}. Use a newer broker, such as Kafka 4.`,
      35,
    );
  }
  const expects = [
    ...(tls === undefined ? ["TLS"] : []),
    ...(sasl === undefined ? ["a user and a password (SASL)"] : []),
  ];
  // A broker that expects something else closes the connection without a word.
  const closed = /closed/i.test(message) && expects.length > 0;
  const hint = closed ? `; perhaps the broker expects ${expects.join(" or ")}` : "";
  return new KafkaUnreachableError(`No answer to ${what}: ${message}${hint}.`, { cause: error });
}

const AUTH = /^(?:SaslAuthentication|UnsupportedSaslMechanism|IllegalSaslState)Error$/;
const TLS = /certificate|self.signed|CERT|SSL|EPROTO|TLS/;

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
