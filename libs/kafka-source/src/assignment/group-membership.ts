import { pause } from "@millrace/dataflow";
import type { AssignedTasks, AssignmentContext, Membership } from "@millrace/dataflow";
import type { BrokerClient } from "../connection/kafka-client.ts";
import type { KafkaCluster } from "../connection/kafka-cluster.ts";
import { CODES } from "../connection/protocol-codes.ts";
import { KafkaClosedError, KafkaGroupError, KafkaRefusedError } from "../errors.ts";
import { decodeClaim, decodeShare, divide, encodeClaim, encodeShare } from "./division.ts";

const BEATS_PER_SESSION = 10;

/** What a membership works with. */
export interface MembershipSettings {
  /** It has connections of its own, since a request to join waits for the other members. It ends with the membership. */
  readonly cluster: KafkaCluster;
  readonly group: string;
  readonly sessionMs: number;
  /** By the numbers of the partitions. */
  readonly parts: readonly string[];
  readonly tasks: AssignedTasks;
  readonly context: AssignmentContext;
}

/** A part that the worker has. Each time that it gets it, that is another one. */
interface Held {
  /** When the part is closed, or lost on the way; `undefined`: it is not to be closed. */
  closing: Promise<void> | undefined;
}

/**
 * One member of a consumer group. It sends one request after the other: it joins, which waits until all members have joined
 * again, gets its share, and sends heartbeats until one says that the group is formed anew. Then it joins again at once, also
 * while it closes partitions: those it keeps for so long, and joins once more when they are closed.
 */
export class GroupMembership implements Membership {
  readonly #settings: MembershipSettings;
  readonly #held = new Map<number, Held>();
  #member = "";
  #generation = -1;
  /** The group must know what this worker has now. */
  #mustJoin = true;
  /** Called when an answer that was asked for after now says what this worker has. */
  #confirms: (() => void)[] = [];
  #cancelExpiry: (() => void) | undefined;
  #left: Promise<void> | undefined;
  #wake = new AbortController();
  readonly #ended = new AbortController();
  #exchanging: Promise<void> = Promise.resolve();

  constructor(settings: MembershipSettings) {
    this.#settings = settings;
    settings.context.signal.addEventListener("abort", () => {
      this.#stop();
    });
  }

  /** Joins. @throws KafkaError */
  async begin(): Promise<void> {
    try {
      while (this.#mustJoin && !this.#isOver()) await this.#join();
    } catch (error) {
      this.#stop();
      await this.#settings.cluster.close();
      throw error;
    }
    this.#exchanging = this.#exchange();
  }

  async confirm(part: string): Promise<boolean> {
    if (!this.#isOver()) {
      await new Promise<void>((resolve) => {
        this.#confirms.push(resolve);
        this.#wake.abort();
      });
    }
    const held = this.#held.get(this.#settings.parts.indexOf(part));
    return held !== undefined && held.closing === undefined && !this.#isOver();
  }

  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  async #leave(): Promise<void> {
    const { cluster, group, sessionMs, context } = this.#settings;
    await Promise.all(Array.from(this.#held, ([partition, held]) => this.#close(partition, held)));
    this.#stop();
    // A Kafka that is away for so long removes the worker by itself.
    const cancel = context.time.wakeAfter(sessionMs, () => void cluster.close());
    try {
      await this.#exchanging;
      if (this.#member !== "") await this.#ask((broker) => broker.leaveGroup(group, this.#member));
    } catch (error) {
      if (!(error instanceof KafkaClosedError || isNoMember(error))) throw error;
    } finally {
      cancel();
      await cluster.close();
    }
  }

  /** Heartbeats, and joins where needed, until the membership ends. */
  async #exchange(): Promise<void> {
    const { tasks } = this.#settings;
    try {
      while (!this.#isOver()) {
        if (this.#mustJoin) await this.#join();
        else await this.#beatLater();
      }
    } catch (error) {
      if (!this.#isOver()) tasks.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #join(): Promise<void> {
    const { cluster, group, sessionMs, parts } = this.#settings;
    const { topic } = cluster;
    await this.#settle(async () => {
      this.#mustJoin = false;
      const protocol = `millrace:${topic}:${parts.length}`;
      const metadata = encodeClaim(topic, this.#claim());
      const joined = await this.#ask((broker) =>
        broker.joinGroup({ group, member: this.#member, sessionMs, protocol, metadata }),
      );
      this.#member = joined.member;
      this.#generation = joined.generation;
      if (this.#isOver()) return;
      const claims = joined.members.map(({ member, metadata: of }) => [member, decodeClaim(of)] as const);
      const shares = Array.from(divide(new Map(claims), parts.length), ([member, partitions]) => ({
        member,
        assignment: encodeShare(topic, partitions),
      }));
      const { member, generation } = joined;
      const sentAt = this.#settings.context.time.monotonic();
      const share = await this.#ask((broker) =>
        broker.syncGroup({ group, member, generation, sessionMs, protocol, shares }),
      );
      if (this.#isOver() || !this.#renew(sentAt)) return;
      this.#apply(new Set(decodeShare(topic, share)));
    });
  }

  async #beatLater(): Promise<void> {
    const { context, sessionMs } = this.#settings;
    const early = AbortSignal.any([this.#wake.signal, this.#ended.signal]);
    await pause(context.time, sessionMs / BEATS_PER_SESSION, early);
    this.#wake = new AbortController();
    if (!this.#mustJoin && !this.#isOver()) await this.#beat();
  }

  #beat(): Promise<void> {
    const { group, context } = this.#settings;
    return this.#settle(async () => {
      const sentAt = context.time.monotonic();
      const [member, generation] = [this.#member, this.#generation];
      const stable = await this.#ask((broker) => broker.heartbeat({ group, member, generation }));
      if (this.#isOver()) return;
      this.#mustJoin ||= !stable;
      this.#renew(sentAt);
    });
  }

  /** An exchange with the group, whose answer settles what was to be confirmed before, if the worker need not join again. */
  async #settle(exchange: () => Promise<void>): Promise<void> {
    const confirms = this.#confirms;
    this.#confirms = [];
    try {
      await exchange();
    } catch (error) {
      this.#accept(error);
    }
    if (this.#mustJoin && !this.#isOver()) this.#confirms.push(...confirms);
    else for (const confirm of confirms) confirm();
  }

  /** An error that says only that the worker must join again. @throws any other one */
  #accept(error: unknown): void {
    if (this.#isOver()) return;
    const { kafkaCode: code } = error instanceof KafkaRefusedError ? error : { kafkaCode: undefined };
    if (code === CODES.inconsistentGroupProtocol) throw this.#otherMembers();
    if (isNoMember(error)) {
      if (code === CODES.unknownMember) this.#member = "";
      this.#loseAll("Kafka has formed the group without this worker");
    } else if (code !== CODES.rebalanceInProgress) throw error;
    this.#mustJoin = true;
  }

  #claim(): { keeps: number[]; closes: number[]; leaves: boolean } {
    const [keeps, closes]: [number[], number[]] = [[], []];
    for (const [partition, { closing }] of this.#held)
      (closing === undefined ? keeps : closes).push(partition);
    return { keeps, closes, leaves: this.#left !== undefined };
  }

  #apply(share: ReadonlySet<number>): void {
    const { parts, tasks } = this.#settings;
    for (const [partition, held] of this.#held) if (!share.has(partition)) void this.#close(partition, held);
    if (this.#left !== undefined) return;
    for (const partition of share) {
      const part = parts[partition];
      if (part === undefined || this.#held.has(partition)) continue;
      this.#held.set(partition, { closing: undefined });
      tasks.assigned(part);
    }
  }

  /** Another worker is to have it: first it is finished here, then the group is formed anew. */
  #close(partition: number, held: Held): Promise<void> {
    held.closing ??= this.#finish(partition, held);
    return held.closing;
  }

  async #finish(partition: number, held: Held): Promise<void> {
    const { parts, tasks } = this.#settings;
    await tasks.revoked(parts[partition] ?? "");
    if (this.#held.get(partition) !== held) return;
    this.#held.delete(partition);
    // Forming the group costs each member two requests, so it is done once for all that are closed together.
    const others = [...this.#held.values()].some(({ closing }) => closing !== undefined);
    if (!others && this.#left === undefined) this.#joinAgain();
  }

  #joinAgain(): void {
    this.#mustJoin = true;
    this.#wake.abort();
  }

  /** An answer has proved that this worker was a member when it was asked for. @returns whether that is still so */
  #renew(sentAt: number): boolean {
    const { context, sessionMs } = this.#settings;
    const leftMs = sentAt + sessionMs - context.time.monotonic();
    this.#cancelExpiry?.();
    if (leftMs > 0) this.#cancelExpiry = context.time.wakeAfter(leftMs, this.#expire);
    else this.#expire();
    return leftMs > 0;
  }

  /** By this worker's own clock its session is over: also a worker that cannot reach Kafka stops. */
  readonly #expire = (): void => {
    if (this.#isOver()) return;
    this.#loseAll(`no heartbeat was answered for ${this.#settings.sessionMs} ms`);
    this.#joinAgain();
  };

  #loseAll(why: string): void {
    const { context, group, parts, tasks } = this.#settings;
    this.#cancelExpiry?.();
    if (this.#held.size === 0) return;
    context.logger.warn(
      { event: "session-over", group, member: this.#member },
      `group ${group}: ${why}; it gives up its ${this.#held.size} partitions, and joins again`,
    );
    const lost = [...this.#held.keys()];
    this.#held.clear();
    for (const partition of lost) tasks.lost(parts[partition] ?? "");
  }

  #otherMembers(): KafkaGroupError {
    const { cluster, group, parts } = this.#settings;
    return new KafkaGroupError(
      `Group "${group}" has members that do not share the ${parts.length} partitions of topic "${cluster.topic}": workers that began ` +
        "before the topic got more partitions, workers of another topic, or another program. Stop them, or give these workers another group.",
    );
  }

  #ask<T>(ask: (coordinator: BrokerClient) => Promise<T>): Promise<T> {
    const { cluster, group } = this.#settings;
    return cluster.retry(async () => ask(await cluster.coordinatorOf(group)));
  }

  #isOver(): boolean {
    return this.#ended.signal.aborted;
  }

  /** No more exchanges after the one that is in flight. */
  #stop(): void {
    this.#cancelExpiry?.();
    this.#ended.abort();
    for (const confirm of this.#confirms.splice(0)) confirm();
  }
}

/** The group has been formed without this member. */
function isNoMember(error: unknown): boolean {
  if (!(error instanceof KafkaRefusedError)) return false;
  return error.kafkaCode === CODES.unknownMember || error.kafkaCode === CODES.illegalGeneration;
}
