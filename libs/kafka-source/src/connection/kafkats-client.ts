/*
 * The package @kafkats/client as a Kafka client, and the only file that names it. It is used below its own consumer and
 * producer.
 */
import { createRequire } from "node:module";
import { isIP } from "node:net";
import * as zlib from "node:zlib";
import type * as Kafkats from "@kafkats/client";
import type { TimeProvider } from "@millrace/dataflow";
import { KafkaClientMissingError, KafkaRecordsError, KafkaUnreachableError } from "../errors.ts";
import type { BrokerAddress, KafkaTarget } from "./connection-options.ts";
import { crc32c } from "../source/crc32c.ts";
import { explained } from "./explain-failure.ts";
import type {
  BrokerClient,
  DescribedMember,
  GroupMember,
  GroupToJoin,
  GroupToSync,
  JoinedGroup,
  KafkaClient,
  LogEnd,
  PartitionAnswer,
  PartitionToRead,
  ProducerIdentity,
  ReadLimits,
  TopicMetadata,
} from "./kafka-client.ts";
import { CODES, errorOf } from "./protocol-codes.ts";

/** A broker may take this long (ms) to answer, besides the wait that a request asks for. */
const ANSWER_MS = 10_000;
/** The package has limits (ms) of its own, which leave a silent connection open. They are longer, so that they do not count. */
const PACKAGE_ANSWER_MS = 10 * ANSWER_MS;
/** How long (ms) a broker may wait for its replicas. */
const REPLICAS_MS = 30_000;
/** In answers without a limit of their own, so that one answer does not fill the memory. */
const MOST_BYTES = 50 * 1_024 * 1_024;

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
    async connect(target, address, time) {
      const broker = new kafkats.Broker({ ...address, ...settingsOf(target, address), nodeId: 0 });
      const made = new KafkatsBroker(broker, `${address.host}:${address.port}`, target, time);
      await made.open();
      return made;
    },
    decompress(codec, bytes) {
      const { Gzip, Snappy, Lz4, Zstd } = kafkats.CompressionType;
      const type = [Gzip, Snappy, Lz4, Zstd][codec - 1];
      if (type === Zstd && NODES_ZSTD !== undefined) return NODES_ZSTD(bytes);
      const found = type === undefined ? undefined : kafkats.compressionCodecs.get(type);
      if (found !== undefined) return found.decompress(bytes);
      const [name, remedy] = UNREADABLE[codec] ?? [`codec ${codec}`, "Write them in another way."];
      throw new KafkaRecordsError(
        `The topic's records are compressed with ${name}, which cannot be read here. ${remedy}`,
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

/** Ways to compress that need something, and what; gzip needs nothing. */
const UNREADABLE: Readonly<Record<number, readonly [name: string, remedy: string]>> = {
  2: ["snappy", "Install a package for it beside the client: npm install snappyjs"],
  3: ["lz4", "Install a package for it beside the client: npm install lz4js"],
  4: [
    "zstd",
    "Use Node 22.15 or newer, or install a package for it beside the client: npm install zstd-napi",
  ],
};

function hasModule(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Node's own, from 22.15 on; the types are those of Node 20. */
const NODES_ZSTD = nodesZstd();

function nodesZstd(): ((bytes: Buffer) => Buffer) | undefined {
  const decompress: unknown = Reflect.get(zlib, "zstdDecompressSync");
  if (typeof decompress !== "function") return undefined;
  return (bytes) => {
    const plain: unknown = Reflect.apply(decompress, zlib, [bytes]);
    return Buffer.isBuffer(plain) ? plain : NOTHING;
  };
}

class KafkatsBroker implements BrokerClient {
  readonly #broker: Kafkats.Broker;
  readonly #address: string;
  readonly #target: KafkaTarget;
  readonly #time: TimeProvider;
  #closed = false;

  constructor(broker: Kafkats.Broker, address: string, target: KafkaTarget, time: TimeProvider) {
    this.#broker = broker;
    this.#address = address;
    this.#target = target;
    this.#time = time;
  }

  /** @throws KafkaError */
  async open(): Promise<void> {
    try {
      const request = `a connection to ${this.#address}`;
      await this.#answerWithin(this.#target.connectTimeoutMs, request, () => this.#broker.connect());
    } catch (error) {
      await this.close();
      throw error;
    }
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
    const ask = (): ReturnType<Kafkats.Broker["fetch"]> =>
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
      });
    const { errorCode, topics } = await this.#ask(what, ask, maxWaitMs);
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
    const timestamp = which === "earliest" ? -2n : -1n;
    const isolationLevel = which === "stable" ? 1 : 0;
    return (await this.#offsetAt(name, { partitionIndex, timestamp }, isolationLevel)).offset;
  }

  async firstSince(
    name: string,
    partitionIndex: number,
    time: number,
  ): Promise<{ readonly offset: number; readonly time: number } | undefined> {
    const found = await this.#offsetAt(name, { partitionIndex, timestamp: BigInt(time) }, 1);
    return found.offset < 0 ? undefined : found;
  }

  async #offsetAt(
    name: string,
    at: { readonly partitionIndex: number; readonly timestamp: bigint },
    isolationLevel: 0 | 1,
  ): Promise<{ readonly offset: number; readonly time: number }> {
    const what = `a look at the offsets of topic "${name}"`;
    const { topics } = await this.#ask(what, () =>
      this.#broker.listOffsets({ isolationLevel, topics: [{ name, partitions: [at] }] }),
    );
    const answer = topics[0]?.partitions[0];
    if (answer === undefined) throw errorOf(CODES.unknownServerError, what);
    requireNone(answer.errorCode, what);
    return { offset: Number(answer.offset), time: Number(answer.timestamp) };
  }

  async write(name: string, batches: ReadonlyMap<number, Buffer>): Promise<ReadonlyMap<number, number>> {
    const partitions = Array.from(batches, ([partitionIndex, records]) => ({ partitionIndex, records }));
    const { topics } = await this.#ask(
      `a write to topic "${name}"`,
      () => this.#broker.produce({ acks: -1, timeoutMs: REPLICAS_MS, topics: [{ name, partitions }] }),
      REPLICAS_MS,
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
    const ask = (): ReturnType<Kafkats.Broker["joinGroup"]> =>
      this.#broker.joinGroup({
        groupId: group,
        memberId: member,
        sessionTimeoutMs: sessionMs,
        rebalanceTimeoutMs: sessionMs,
        protocolType: GROUP_TYPE,
        protocols: [{ name: protocol, metadata }],
      });
    const { errorCode, memberId, generationId, members } = await this.#ask(what, ask, sessionMs);
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
    const ask = (): ReturnType<Kafkats.Broker["syncGroup"]> =>
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
      );
    const { errorCode, assignment } = await this.#ask(what, ask, sessionMs);
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

  async describeGroup(group: string): Promise<readonly DescribedMember[]> {
    const what = `a look at the members of group "${group}"`;
    const { groups } = await this.#ask(what, () => this.#broker.describeGroups({ groups: [group] }));
    return groups.flatMap(({ errorCode, protocolType, members }) => {
      const code: number = errorCode;
      if (code !== CODES.unknownGroup) requireNone(code, what);
      if (protocolType !== GROUP_TYPE) return [];
      return members.map(({ memberId, clientId, clientHost, memberAssignment }) => ({
        member: memberId,
        client: clientId,
        host: clientHost.replace(/^\//, ""),
        assignment: memberAssignment,
      }));
    });
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

  /** @param waitMs how long the broker may wait before it answers, as the request asks for */
  async #ask<T>(what: string, ask: () => Promise<T>, waitMs = 0): Promise<T> {
    const request = `${what} at ${this.#address}`;
    if (!this.#closed) return this.#answerWithin(waitMs + ANSWER_MS, request, ask);
    throw new KafkaUnreachableError(`No answer to ${request}: the connection was closed.`, { request });
  }

  /** Closes the connections if there is no answer in time: they may stay silent, while a new one is answered. */
  async #answerWithin<T>(limitMs: number, request: string, ask: () => Promise<T>): Promise<T> {
    const late = new AbortController();
    const cancel = this.#time.wakeAfter(limitMs, () => {
      late.abort();
      void this.close();
    });
    try {
      return await ask();
    } catch (error) {
      if (!late.signal.aborted) throw explained(error, request, this.#target);
      throw new KafkaUnreachableError(`No answer to ${request} within ${limitMs} ms.`, {
        cause: error,
        request,
      });
    } finally {
      cancel();
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
    requestTimeoutMs: PACKAGE_ANSWER_MS,
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
