import type { DecodeFailure, Decoder } from "../contracts/decoder.ts";
import type { Batch, Emitter, Operator } from "../contracts/operator.ts";
import { wholeText } from "../excerpt.ts";
import { StatelessOperator } from "./stateless.ts";
import type { StepContext } from "./step-context.ts";

/** Decodes payloads. A malformed payload is counted and goes to the dead letter. */
export class DecodeOperator<Raw, T> implements Operator<Raw, T> {
  readonly #context: StepContext;
  readonly #stateless: StatelessOperator<Raw, T>;
  #decoded = 0;
  #blank = 0;
  #malformed = 0;

  constructor(context: StepContext, decoder: Decoder<Raw, T>) {
    this.#context = context;
    this.#stateless = new StatelessOperator<Raw, T>(context, "selection", (batch, rows) => {
      for (let row = rows.at; row < batch.events.length; row++) {
        rows.at = row;
        const raw = batch.events[row] as Raw;
        const decoded = decoder.decode(raw);
        if (decoded.kind === "event") rows.events.push(decoded.event);
        else {
          rows.dropped.push(row);
          if (decoded.kind === "blank") this.#blank += 1;
          else this.#refuse(raw, decoded.reason);
        }
      }
    });
  }

  process(batch: Batch<Raw>, now: number, out: Emitter<T>): void {
    this.#stateless.process(batch, now, {
      emit: (decoded) => {
        this.#decoded += decoded.events.length;
        out.emit(decoded);
      },
    });
  }

  stats(): Readonly<Record<string, number>> {
    return { decoded: this.#decoded, blank: this.#blank, malformed: this.#malformed };
  }

  #refuse(raw: Raw, reason: DecodeFailure): void {
    this.#malformed += 1;
    const { step, part } = this.#context;
    // A copy, since a dead letter may be kept, and the line may be cut out of a larger text: V8 writes a joined text out
    // before it slices it, so the slice holds only that copy.
    const payload = ` ${wholeText(raw)}`.slice(1);
    this.#context.deadLetter({ step, part, reason, payload });
  }
}
