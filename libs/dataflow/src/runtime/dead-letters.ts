import type { DeadLetter } from "../contracts/decoder.ts";
import type { Logger } from "../contracts/logger.ts";
import type { SinkPartition } from "../contracts/sink.ts";
import { asSinkError } from "../errors.ts";
import { DEAD_LETTER } from "./check-start.ts";

/** What could not become an event waits here until the task settles; without a sink each is logged. */
export class DeadLetters {
  #sink: SinkPartition<DeadLetter> | undefined;
  readonly #logger: Logger;
  #waiting: DeadLetter[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** What comes from now on goes to `sink`. */
  writeTo(sink: SinkPartition<DeadLetter> | undefined): void {
    this.#sink = sink;
  }

  readonly put = (letter: DeadLetter): void => {
    if (this.#sink !== undefined) {
      this.#waiting.push(letter);
      return;
    }
    const { step, part, reason, payload } = letter;
    this.#logger.warn(
      { event: "dead-letter", step, part, ...reason, payload },
      `not an event: ${reason.message}`,
    );
  };

  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const letters = this.#waiting;
    this.#waiting = [];
    try {
      await this.#sink?.writeBatch(letters);
    } catch (error) {
      throw asSinkError(error, DEAD_LETTER, letters[0]?.part ?? "");
    }
  }
}
