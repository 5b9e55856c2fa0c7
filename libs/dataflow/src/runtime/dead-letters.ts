import type { DeadLetter } from "../contracts/decoder.ts";
import type { Logger } from "../contracts/logger.ts";
import type { SinkPartition } from "../contracts/sink.ts";
import type { TimeProvider } from "../contracts/time-provider.ts";
import { asSinkError } from "../errors.ts";
import { PAYLOAD_LENGTH, excerpt } from "../excerpt.ts";
import { DEAD_LETTER } from "./check-start.ts";
import { namedAsync } from "./named.ts";

/** Without a sink so many dead letters are logged in full in each period, and the rest as one number at its end. */
const IN_FULL = 10;
const PERIOD_MS = 60_000;

/** What could not become an event waits here until the task settles; without a sink it is logged. */
export class DeadLetters {
  #sink: SinkPartition<DeadLetter> | undefined;
  readonly #logger: Logger;
  readonly #time: TimeProvider;
  #waiting: DeadLetter[] = [];
  /** Logged in this period, in full and by number; a period begins with a dead letter. */
  #inFull = 0;
  #counted = 0;
  #cancelPeriod: (() => void) | undefined;

  constructor(logger: Logger, time: TimeProvider) {
    this.#logger = logger;
    this.#time = time;
  }

  /** What comes from now on goes to `sink`. */
  writeTo(sink: SinkPartition<DeadLetter> | undefined): void {
    this.#sink = sink;
  }

  readonly put = (letter: DeadLetter): void => {
    if (this.#sink !== undefined) this.#waiting.push(letter);
    else this.#log(letter);
  };

  /** Logs the number of those that were not logged. Idempotent. */
  close(): Promise<void> {
    this.#endPeriod();
    return Promise.resolve();
  }

  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const letters = this.#waiting;
    this.#waiting = [];
    await namedAsync(
      () => this.#sink?.writeBatch(letters) ?? Promise.resolve(),
      (error) => asSinkError(error, DEAD_LETTER, letters[0]?.part ?? ""),
    );
  }

  #log({ step, part, reason, payload }: DeadLetter): void {
    this.#cancelPeriod ??= this.#time.wakeAfter(PERIOD_MS, () => {
      this.#endPeriod();
    });
    if (this.#inFull === IN_FULL) {
      this.#counted += 1;
      return;
    }
    this.#inFull += 1;
    this.#logger.warn(
      { event: "dead-letter", step, part, ...reason, payload: excerpt(payload, PAYLOAD_LENGTH) },
      `not an event: ${reason.message}`,
    );
  }

  #endPeriod(): void {
    this.#cancelPeriod?.();
    this.#cancelPeriod = undefined;
    const count = this.#counted;
    this.#inFull = 0;
    this.#counted = 0;
    if (count === 0) return;
    this.#logger.warn(
      { event: "dead-letters", count },
      `${count} more were not events; give the flow a dead letter (\`deadLetter\`) to keep them`,
    );
  }
}
