import type { Json, PartContext, Partitioning, RawLine, Source, SourcePartition } from "@millrace/dataflow";
import type { LineWithOrigin } from "@millrace/redis-source";

/** A source of lines that can also say where each of them came from. A flow reads one or the other. */
export interface SourceOfLines extends Source<RawLine> {
  withOrigin(): Source<LineWithOrigin>;
}

const NO_FIELDS = Object.freeze({});

/** Lines of a file, or of standard input: the channel of each is the name of the file. */
export class LocalLines implements SourceOfLines {
  readonly partitioning: Partitioning;
  readonly #lines: Source<RawLine>;
  readonly #name: string;

  constructor(lines: Source<RawLine>, name: string) {
    this.partitioning = lines.partitioning;
    this.#lines = lines;
    this.#name = name;
  }

  listParts(): Promise<readonly string[]> {
    return this.#lines.listParts();
  }

  checkPosition(part: string, position: Json): void {
    this.#lines.checkPosition?.(part, position);
  }

  buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<SourcePartition<RawLine>> {
    return this.#lines.buildPart(part, resume, context);
  }

  withOrigin(): Source<LineWithOrigin> {
    const origin = { channel: this.#name, fields: NO_FIELDS };
    return {
      partitioning: this.partitioning,
      listParts: () => this.listParts(),
      checkPosition: (part, position) => {
        this.checkPosition(part, position);
      },
      buildPart: async (part, resume, context) => {
        const lines = await this.buildPart(part, resume, context);
        return {
          nextBatch: async () => {
            const batch = await lines.nextBatch();
            return batch.kind === "end"
              ? batch
              : { ...batch, events: batch.events.map((line) => ({ line, ...origin })) };
          },
          ...(lines.drained === undefined ? {} : { drained: async () => lines.drained?.() }),
          snapshot: () => lines.snapshot(),
          stop: () => {
            lines.stop?.();
          },
          close: () => lines.close(),
        };
      },
    };
  }
}
