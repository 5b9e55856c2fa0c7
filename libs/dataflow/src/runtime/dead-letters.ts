import type { DeadLetter } from "../contracts/decoder.ts";
import type { SinkPartition } from "../contracts/sink.ts";
import { asSinkError } from "../errors.ts";
import { DEAD_LETTER } from "./check-start.ts";
import type { DeadLetterLog } from "./dead-letter-log.ts";
import { namedAsync } from "./name-errors.ts";
import type { Observers } from "./observers.ts";
import type { TaskOptions } from "./options.ts";

/** Dead letters wait here until the task settles; without a sink they are logged. */
export class DeadLetters {
  #sink: SinkPartition<DeadLetter> | undefined;
  readonly #log: DeadLetterLog;
  readonly #observers: Observers;
  #waiting: DeadLetter[] = [];

  constructor({ deadLetterLog, observers }: Pick<TaskOptions, "deadLetterLog" | "observers">) {
    this.#log = deadLetterLog;
    this.#observers = observers;
  }

  /** Later dead letters go to `sink`. */
  writeTo(sink: SinkPartition<DeadLetter> | undefined): void {
    this.#sink = sink;
  }

  readonly put = (letter: DeadLetter): void => {
    this.#observers.report("deadLetter", letter);
    if (this.#sink !== undefined) this.#waiting.push(letter);
    else this.#log.put(letter);
  };

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
}
