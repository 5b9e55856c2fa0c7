import type { Json, SourcePartition } from "@millrace/dataflow";
import type { FrameHeader } from "./frame-codec.ts";
import { readLedgerState } from "./ledger-state.ts";
import type { ProducerState } from "./ledger-state.ts";
import { LossList } from "./loss-list.ts";
import type { NumberRange } from "./loss-list.ts";

type Completeness = ReturnType<NonNullable<SourcePartition<unknown>["completeness"]>>;

/** Bounds of a {@link ProducerLedger}. */
export interface LedgerOptions {
  /** Producers remembered; one more, and the one silent for longest is forgotten. `@default 1_024` */
  readonly maxProducers?: number;
  /** A producer not heard for so long is forgotten. Resent events of it would count as new. `@default 86_400_000 (a day)` */
  readonly forgetAfterMs?: number;
  /**
   * How long a producer may be silent before windows are judged without it: it has ended, since a living one sends
   * a heartbeat every second. `@default 60_000`
   */
  readonly silentAfterMs?: number;
  /** Losses told apart; beyond it the oldest become one, with a wider interval. `@default 256` */
  readonly maxLosses?: number;
}

/** Defaults of {@link LedgerOptions}. */
export const DEFAULT_LEDGER_OPTIONS: Required<LedgerOptions> = Object.freeze({
  maxProducers: 1_024,
  forgetAfterMs: 86_400_000,
  silentAfterMs: 60_000,
  maxLosses: 256,
});

/** What a frame turned out to be. */
export interface FrameVerdict {
  /** Which of its events are new, as offsets into the frame, in order; the others are duplicates. */
  readonly fresh: readonly NumberRange[];
  readonly duplicates: number;
  /** Events before it that did not come: its producer numbered them, nobody has seen them. */
  readonly lost: number;
  /** Events in it that had been taken for lost: they were only late. */
  readonly recovered: number;
}

/** Counts since the ledger was made. */
export interface LedgerStats {
  /** Missing now: gaps, less what came after all. */
  readonly lost: number;
  readonly duplicates: number;
  /** Came behind events with higher numbers. */
  readonly reordered: number;
  /** Producers remembered. */
  readonly producers: number;
  /** Producers forgotten, for their silence or at the bound. */
  readonly forgotten: number;
}

/**
 * Keeps account of what came on one partition, by the numbers that each producer gives its events.
 *
 * It is pure: time comes in as an argument. It belongs to the position: fed with what was delivered, snapshot and
 * restored with it, it recognises after a crash what is resent, and what was published in between and never read.
 *
 * A producer begins at number 0. One that is first heard at a higher number may have sent the others before this
 * consumer listened: they do not count as lost, but windows that reach back to that moment are "unknown".
 */
export class ProducerLedger {
  readonly #options: Required<LedgerOptions>;
  readonly #producers: Map<string, ProducerState>;
  readonly #losses: LossList;
  /** When the last bare line came: nobody can tell what is missing around it. */
  #bareAt: number;
  /** When the input was last whole again after an interruption. */
  #interruptedAt: number;
  /** Windows that open up to here may miss events of producers that were forgotten. */
  #forgottenUntil: number;
  #lost = 0;
  #duplicates = 0;
  #reordered = 0;
  #forgotten = 0;

  /**
   * @param state what {@link snapshot} told
   * @throws RedisPositionError when `state` is something else
   */
  constructor(options: LedgerOptions = {}, state?: Json) {
    this.#options = { ...DEFAULT_LEDGER_OPTIONS, ...options };
    const { producers, losses, bareAt, interruptedAt, forgottenUntil } = readLedgerState(state);
    this.#producers = new Map(producers);
    this.#losses = new LossList(this.#options.maxLosses, losses);
    this.#bareAt = bareAt;
    this.#interruptedAt = interruptedAt;
    this.#forgottenUntil = forgottenUntil;
  }

  /** Takes a frame, or a heartbeat, that came at `now` (ms). */
  accept({ producer: id, first, count, publishedAtMs }: FrameHeader, now: number): FrameVerdict {
    const end = first + count;
    const known = this.#producers.get(id);
    if (known === undefined) {
      this.#makeRoom(now);
      this.#producers.set(id, {
        next: end,
        heardFrom: first === 0 ? Number.NEGATIVE_INFINITY : publishedAtMs,
        heardUpTo: publishedAtMs,
        heardAt: now,
      });
      if (first > 0) this.#miss(false, id, { from: 0, to: first }, publishedAtMs, publishedAtMs);
      return wholeFrame(count, 0);
    }
    const { next, heardUpTo } = known;
    known.heardAt = now;
    known.heardUpTo = Math.max(heardUpTo, publishedAtMs);
    if (first >= next) {
      const lost = first - next;
      if (lost > 0) {
        this.#miss(true, id, { from: next, to: first }, Math.min(heardUpTo, publishedAtMs), known.heardUpTo);
        this.#lost += lost;
      }
      known.next = end;
      return wholeFrame(count, lost);
    }
    known.next = Math.max(next, end);
    return this.#acceptBehind(id, { from: first, to: end }, next);
  }

  /** A message without numbers came at `now` (ms). */
  acceptBare(now: number): void {
    this.#bareAt = Math.max(this.#bareAt, now);
  }

  /**
   * The input was interrupted and is whole again since `now` (ms): each producer's next number will tell what was
   * missed, and until then nothing is sure about the time since it was heard.
   */
  interrupted(now: number): void {
    this.#interruptedAt = Math.max(this.#interruptedAt, now);
  }

  /**
   * Whether all events published in `[open, close)` came: `true`, the bounds of how many are missing, or "unknown":
   * a producer has not been heard up to `close` yet, or not since `open`, or not by numbers.
   */
  completeness(open: number, close: number): Completeness {
    const { silentAfterMs } = this.#options;
    if (this.#producers.size === 0) return "unknown";
    if (open <= Math.max(this.#bareAt + silentAfterMs, this.#forgottenUntil)) return "unknown";
    for (const producer of this.#producers.values()) {
      if (open <= producer.heardFrom) return "unknown";
      if (producer.heardUpTo < close && open <= this.#silentFrom(producer)) return "unknown";
    }
    const missing = this.#losses.missing(open, close);
    return missing.atMost === 0 ? true : missing;
  }

  /** Figures at this moment. */

  stats(): LedgerStats {
    return {
      lost: this.#lost,
      duplicates: this.#duplicates,
      reordered: this.#reordered,
      producers: this.#producers.size,
      forgotten: this.#forgotten,
    };
  }

  /** All it knows but for the counts, as JSON. */
  snapshot(): Json {
    return {
      producers: Array.from(this.#producers, ([id, { next, heardFrom, heardUpTo, heardAt }]) => [
        id,
        next,
        finite(heardFrom),
        heardUpTo,
        heardAt,
      ]),
      losses: this.#losses.snapshot(),
      bareAt: finite(this.#bareAt),
      interruptedAt: finite(this.#interruptedAt),
      forgottenUntil: finite(this.#forgottenUntil),
    };
  }

  #miss(
    claimed: boolean,
    producer: string,
    { from: first, to: end }: NumberRange,
    from: number,
    to: number,
  ): void {
    this.#losses.add({ claimed, producer, first, count: end - first, from, to });
  }

  /** Numbers below `next`: seen before, or missing until now. */
  #acceptBehind(id: string, { from, to }: NumberRange, next: number): FrameVerdict {
    const { found, claimed: recovered } = this.#losses.takeBack(id, { from, to: Math.min(to, next) });
    const fresh = to > next ? [...found, { from: next, to }] : found;
    const duplicates = to - from - sizeOf(fresh);
    this.#lost -= recovered;
    this.#reordered += sizeOf(found);
    this.#duplicates += duplicates;
    return {
      fresh: fresh.map((range) => ({ from: range.from - from, to: range.to - from })),
      duplicates,
      lost: 0,
      recovered,
    };
  }

  /** A window that opens later is judged without this producer, if it is not heard again. */
  #silentFrom({ heardUpTo }: ProducerState): number {
    return Math.max(heardUpTo, this.#interruptedAt) + this.#options.silentAfterMs;
  }

  #makeRoom(now: number): void {
    const { maxProducers, forgetAfterMs } = this.#options;
    let silentest: [id: string, heardAt: number] | undefined;
    for (const [id, producer] of this.#producers) {
      if (producer.heardAt + forgetAfterMs <= now) this.#forget(id, producer);
      else if (silentest === undefined || producer.heardAt < silentest[1]) silentest = [id, producer.heardAt];
    }
    if (this.#producers.size < maxProducers || silentest === undefined) return;
    const producer = this.#producers.get(silentest[0]);
    if (producer !== undefined) this.#forget(silentest[0], producer);
  }

  #forget(id: string, producer: ProducerState): void {
    this.#producers.delete(id);
    this.#forgotten += 1;
    this.#forgottenUntil = Math.max(this.#forgottenUntil, this.#silentFrom(producer));
  }
}

function wholeFrame(count: number, lost: number): FrameVerdict {
  return { fresh: count === 0 ? [] : [{ from: 0, to: count }], duplicates: 0, lost, recovered: 0 };
}

function sizeOf(ranges: readonly NumberRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

function finite(time: number): number | null {
  return Number.isFinite(time) ? time : null;
}
