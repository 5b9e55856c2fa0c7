import type {
  Drained,
  Json,
  PartContext,
  RawLine,
  SourceBatch,
  SourcePartition,
  SourceStats,
} from "@millrace/dataflow";
import type { RetryingClient } from "../connection/retrying-client.ts";
import { OutageLoss } from "../wire/outage-loss.ts";
import { ProducerLedger } from "../wire/producer-ledger.ts";
import { SuspicionLog } from "../wire/suspicion-log.ts";
import { RedisClosedError } from "../errors.ts";
import type { LayoutGuard } from "../partitions/layout-record.ts";
import { LengthWatch } from "./length-watch.ts";
import { RefusedEntries } from "./entry-decoder.ts";
import type { DeliverLines, EntryDecoder } from "./entry-decoder.ts";
import { FieldsDecoder } from "./fields-decoder.ts";
import { MessageDecoder } from "./message-decoder.ts";
import { beginningOf } from "./beginning.ts";
import type { Beginning } from "./beginning.ts";
import { detectGap } from "./place.ts";
import type { Place, StreamEnd } from "./place.ts";
import { compareIds, millisecondsOf } from "./entry-id.ts";
import { ReadSize } from "./read-size.ts";
import { hasMore, readState, readWithState, waitForEntries } from "./stream-commands.ts";
import type { StreamEntry, StreamState } from "./stream-commands.ts";
import type { StreamConnections } from "./stream-connections.ts";
import { readPosition, readResume, writePosition } from "./stream-position.ts";
import type { Resume, StreamPosition } from "./stream-position.ts";
import { StreamProgress } from "./stream-progress.ts";
import type { StreamPartitionSettings, StreamStart } from "./stream-source-options.ts";

const END: SourceBatch<never> = Object.freeze({ kind: "end" });
/** A publisher that trims what a slow reader has not read would fill the log. */
const LOG_LOSS_EVERY_MS = 10_000;

/** Counts of one stream since it was opened. */
export interface StreamStats extends SourceStats {
  /** Entries read; several events may share one. */
  readonly entries: number;
  /** Entries that were trimmed or deleted before they were read; a lower bound if the stream itself was deleted. */
  readonly lostEntries: number;
  /** Events delivered that may have come before: see `LedgerOptions.maxLosses`. */
  readonly possibleDuplicates: number;
  /** Events whose number or publish time was not believed; a heartbeat counts as one. */
  readonly suspicious: number;
  /** Entries without a message, or with one that cannot be read; entries whose fields are no event. */
  readonly malformed: number;
  /** Entries after the last one read, at the last check; "unknown" until the end of the stream was reached once. */
  readonly lag: number | "unknown";
  /** Entries that this task deleted. */
  readonly trimmed: number;
  /** Consumer groups that no longer block trimming. */
  readonly abandonedGroups: number;
  readonly disconnects: number;
}

/**
 * One stream. Reading deletes nothing, so it may be interrupted at any time: what was not delivered is read again.
 *
 * It has two connections: one for blocking reads, and one for probes, progress and trimming.
 */
export class StreamPartition<T = RawLine> implements SourcePartition<T> {
  readonly #stream: string;
  readonly #settings: StreamPartitionSettings;
  readonly #context: PartContext;
  readonly #reading: RetryingClient;
  readonly #commands: RetryingClient;
  readonly #ledger: ProducerLedger;
  readonly #outageLoss: OutageLoss;
  readonly #decoder: EntryDecoder<T>;
  readonly #size: ReadSize;
  readonly #progress: StreamProgress;
  readonly #layout: LayoutGuard | undefined;
  readonly #length: LengthWatch;
  readonly #wholeFrom: number | undefined;
  #place: Place;
  #seen: StreamEnd | undefined;
  /** `StreamState.deletedUpTo` at the last look. */
  #deletedUpTo: string | undefined;
  #over = false;
  #read = 0;
  #entries = 0;
  #lostEntries = 0;
  /** Lost entries whose events have no numbers. */
  #lostUnnumbered = 0;
  #logLossAt = Number.NEGATIVE_INFINITY;

  private constructor(
    stream: string,
    position: StreamPosition,
    clients: { readonly reading: RetryingClient; readonly commands: RetryingClient },
    settings: StreamPartitionSettings,
    layout: LayoutGuard | undefined,
    deliver: DeliverLines<T>,
    context: PartContext,
  ) {
    this.#layout = layout;
    this.#stream = stream;
    const { id, entries: read, seen, wholeFrom } = position;
    const ledger = new ProducerLedger(settings.ledger, position.ledger, wholeFrom);
    this.#place = { id, entries: read };
    this.#seen = seen;
    this.#wholeFrom = wholeFrom;
    this.#ledger = ledger;
    this.#outageLoss = new OutageLoss(ledger);
    this.#reading = clients.reading;
    this.#commands = clients.commands;
    this.#settings = settings;
    this.#context = context;
    const refused = new RefusedEntries((payload, reason) => {
      context.reject(payload, reason);
    });
    const { entries } = settings;
    this.#decoder =
      entries === "fields"
        ? new FieldsDecoder(deliver, ledger, refused)
        : new MessageDecoder(
            entries.field,
            deliver,
            ledger,
            new SuspicionLog(stream, context),
            layout,
            refused,
          );
    this.#size = new ReadSize(settings);
    this.#length = new LengthWatch(stream, settings.trim ? Infinity : settings.warnAboveEntries, context);
    this.#progress = new StreamProgress(stream, clients.commands, settings, context);
  }

  /** @throws RedisError; the reason of the context's signal */
  static async open<T>(
    connections: StreamConnections,
    stream: string,
    resume: Json | undefined,
    settings: StreamPartitionSettings,
    layout: LayoutGuard | undefined,
    deliver: DeliverLines<T>,
    context: PartContext,
  ): Promise<StreamPartition<T>> {
    const from: Resume = resume === undefined ? { kind: "start", start: settings.start } : readResume(resume);
    const opened: RetryingClient[] = [];
    try {
      const commands = await connections.commands(stream, context);
      opened.push(commands);
      const { position, gone } =
        from.kind === "position"
          ? { ...from, gone: undefined }
          : await beginIn(commands, stream, from.start, context);
      const reading = await connections.reading(stream, context);
      opened.push(reading);
      const both = { reading, commands };
      const partition = new StreamPartition(stream, position, both, settings, layout, deliver, context);
      if (gone !== undefined) partition.#outageLoss.missedUncounted(gone.from, gone.to);
      const { id, entries } = position;
      // A missing permission to read shows before the task is acquired.
      await reading.ask((client) => readWithState(client, stream, id, 1));
      await partition.#progress.begin({ id, entries });
      const { step, logger } = context;
      logger.info(
        { event: "reading", stream, step, from: id, resumed: from.kind === "position" },
        `reading stream ${stream} after ${id}`,
      );
      return partition;
    } catch (error) {
      await Promise.all(opened.map((client) => client.close()));
      throw error;
    }
  }

  async nextBatch(): Promise<SourceBatch<T>> {
    try {
      for (;;) {
        const entries = await this.#nextEntries();
        if (this.#over) return END;
        if (this.#layout?.isDue(this.#context.time.monotonic()) === true)
          await this.#layout.lookAgain(this.#context);
        if (entries.length > 0) return this.#deliver(entries);
      }
    } catch (error) {
      if (this.#over && error instanceof RedisClosedError) return END;
      throw error;
    }
  }

  /** Proves it by a read after the position on the other connection, independent of the blocking read. */
  async drained(): Promise<Drained | undefined> {
    try {
      let proof: Drained | undefined;
      const more = await this.#commands.ask((client) => {
        const connection = this.#reading.number + this.#commands.number;
        proof = { at: this.#context.time.now(), connection };
        return hasMore(client, this.#stream, this.#place.id);
      });
      return more || this.#over ? undefined : proof;
    } catch (error) {
      if (error instanceof RedisClosedError) return undefined;
      throw error;
    }
  }

  snapshot(): Json {
    return writePosition({
      ...this.#place,
      seen: this.#seen,
      ledger: this.#ledger.snapshot(),
      wholeFrom: this.#wholeFrom,
    });
  }

  /** Updates the group and trims in the background: the commit does not wait for it. */
  committed(position: Json): Promise<void> {
    const { id, entries } = readPosition(position);
    this.#progress.committed({ id, entries });
    return Promise.resolve();
  }

  completeness(open: number, close: number): ReturnType<ProducerLedger["completeness"]> {
    return this.#outageLoss.leavesUnknown(open, close) ? "unknown" : this.#ledger.completeness(open, close);
  }

  settledUpTo(): number {
    return this.#ledger.settledUpTo(this.#context.time.now());
  }

  wholeFrom(): number {
    return this.#wholeFrom ?? Number.NEGATIVE_INFINITY;
  }

  stats(): StreamStats {
    const { duplicates, lost, possibleDuplicates, suspicious } = this.#ledger.stats();
    const { uncertainSince } = this.#outageLoss;
    const lag = this.#lag;
    return {
      read: this.#read,
      duplicates,
      possibleDuplicates,
      suspicious,
      lost: lost + this.#lostUnnumbered,
      queued: 0,
      entries: this.#entries,
      lostEntries: this.#lostEntries,
      malformed: this.#decoder.malformed,
      lag: lag ?? "unknown",
      trimmed: this.#progress.trimmed,
      abandonedGroups: this.#progress.abandonedGroups,
      disconnects: this.#reading.disconnects + this.#commands.disconnects,
      connected: this.#reading.client !== undefined && this.#commands.client !== undefined,
      reconnects: this.#reading.reconnects + this.#commands.reconnects,
      ...(lag === undefined || this.#hasHoles ? {} : { entriesBehind: lag }),
      ...(uncertainSince === undefined ? {} : { uncertainSince }),
    };
  }

  /** Entries added after the place, as of the last look. */
  get #lag(): number | undefined {
    const { entries } = this.#place;
    return entries === null || this.#seen === undefined ? undefined : this.#seen.added - entries;
  }

  /** Whether entries after the place may have been deleted one by one: how many is not known, as in XINFO GROUPS. */
  get #hasHoles(): boolean {
    return this.#deletedUpTo === undefined || compareIds(this.#deletedUpTo, this.#place.id) > 0;
  }

  /** What a running read returns stays in the stream. */
  stop(): void {
    this.#over = true;
    void this.#reading.close();
  }

  async close(): Promise<void> {
    this.stop();
    await this.#progress.close();
    await Promise.all([this.#reading.close(), this.#commands.close()]);
  }

  /** Reads the stream's state before it waits: only a read together with the state shows what was lost. */
  async #nextEntries(): Promise<readonly StreamEntry[]> {
    const { blockMs } = this.#settings;
    const look = await this.#reading.ask((client) =>
      readWithState(client, this.#stream, this.#place.id, this.#size.entries),
    );
    if (this.#over) return [];
    const { id } = this.#place;
    const { number } = this.#reading;
    this.#length.look(look.state.length);
    this.#locate(look.state, look.entries);
    if (look.entries.length > 0) return look.entries;
    return this.#reading.ask(async (client) => {
      // The place has changed since, or the connection, where the stream may be another one: check again.
      if (this.#place.id !== id || this.#reading.number !== number) return [];
      return waitForEntries(client, this.#stream, id, this.#size.entries, blockMs);
    }, blockMs);
  }

  #locate(state: StreamState, entries: readonly StreamEntry[]): void {
    const { place, lost, reset } = detectGap(this.#place, this.#seen, state, entries.length === 0);
    const was = this.#place.id;
    const until = Math.max(timeOf(entries[0]?.[0] ?? state.lastId), timeOf(this.#seen?.lastId ?? was));
    const from = timeOf(was);
    this.#place = place;
    this.#seen = state;
    this.#deletedUpTo = state.deletedUpTo;
    if (reset) {
      const { step, logger } = this.#context;
      logger.warn(
        { event: "stream-reset", stream: this.#stream, step, was, is: state.lastId, lostEntries: lost },
        `stream ${this.#stream} was deleted, or Redis was restored from an older copy: it was read up to ${was}, and ` +
          `reading continues after ${place.id}; at least ${lost} unread entries are gone`,
      );
    }
    if (lost > 0) this.#lose(lost);
    if (lost > 0 || reset) {
      this.#ledger.missedFrom(from);
      this.#ledger.interrupted(until);
    }
    // Entries that were added after the last check and went with the stream were never counted.
    if (reset) this.#outageLoss.missedUncounted(from, until);
    if (lost > 0 && !reset) this.#logLoss(lost);
  }

  #lose(entries: number): void {
    this.#lostEntries += entries;
    // If events are numbered, the next numbers show how many are missing; else each entry had at least one.
    if (this.#ledger.stats().producers === 0) this.#lostUnnumbered += entries;
  }

  #logLoss(entries: number): void {
    const { time, logger, step } = this.#context;
    const now = time.monotonic();
    if (now < this.#logLossAt) return;
    this.#logLossAt = now + LOG_LOSS_EVERY_MS;
    logger.warn(
      { event: "trimmed-before-read", stream: this.#stream, step, entries, total: this.#lostEntries },
      `${entries} entries of stream ${this.#stream} were trimmed or deleted before they were read. Let the publisher wait ` +
        "instead of trim, allow the stream to be longer, or speed the flow up.",
    );
  }

  #deliver(entries: readonly StreamEntry[]): SourceBatch<T> {
    const { bytes, ...columns } = this.#decoder.decode(entries);
    this.#layout?.throwIfRefused();
    const { id, entries: before } = this.#place;
    this.#place = {
      id: entries.at(-1)?.[0].toString("latin1") ?? id,
      entries: before === null ? null : before + entries.length,
    };
    this.#seen = furthest(this.#seen, this.#place);
    const { length } = columns.events;
    this.#size.measure(entries.length, length, bytes);
    this.#entries += entries.length;
    this.#read += length;
    return { kind: "batch", ...columns };
  }
}

/** Where a task without a commit begins. */
async function beginIn(
  commands: RetryingClient,
  stream: string,
  start: StreamStart,
  { time, logger, step }: PartContext,
): Promise<Beginning> {
  const state = await commands.ask((client) => readState(client, stream));
  const beginning = beginningOf(start, state, time.now());
  const { gone } = beginning;
  if (gone !== undefined) {
    const to = new Date(gone.to).toISOString();
    logger.warn(
      { event: "start-trimmed", stream, step, start, entries: gone.entries, wholeFrom: gone.to },
      `stream ${stream} is to be read from ${start}, but ${gone.entries} entries before ${to} were trimmed or deleted: how ` +
        "many of them belonged to it is not known. Windows that open earlier have no rows",
    );
  }
  return beginning;
}

/** The end of the stream, moved on by what a blocking read returned. */
function furthest(seen: StreamEnd | undefined, { id, entries }: Place): StreamEnd | undefined {
  if (seen === undefined) return undefined;
  return {
    added: Math.max(seen.added, entries ?? 0),
    lastId: compareIds(id, seen.lastId) > 0 ? id : seen.lastId,
  };
}

/** When the entry was added, ms. */
function timeOf(id: Buffer | string): number {
  return millisecondsOf(typeof id === "string" ? Buffer.from(id) : id);
}
