import type { Decoder, RawLine, Source } from "@millrace/dataflow";

/** Where a line came from, and what came with it. */
export interface Origin {
  /** The channel or the stream that it came on. */
  readonly channel: string;
  /**
   * The other fields of the stream's entry, besides the one that carries the message. Of fields with the same name it is
   * the last one, and bytes that are not UTF-8 show as U+FFFD. Empty for Pub/Sub, and if the fields are the event.
   */
  readonly fields: Readonly<Record<string, string>>;
}

/** A line with its {@link Origin}. */
export interface LineWithOrigin extends Origin {
  readonly line: RawLine;
}

/**
 * Decodes the line of a {@link LineWithOrigin} and combines the event with its origin.
 *
 * @param combine must not throw
 * @example
 * flow
 *   .input("clicks", source.withOrigin())
 *   .decode(decodeLine(clickCodec, (click, { channel }) => ({ ...click, channel })))
 */
export function decodeLine<T, U>(
  decoder: Decoder<RawLine, T>,
  combine: (event: T, origin: Origin) => U,
): Decoder<LineWithOrigin, U> {
  return {
    decode(given) {
      const decoded = decoder.decode(given.line);
      return decoded.kind === "event" ? { kind: "event", event: combine(decoded.event, given) } : decoded;
    },
  };
}

/** A source with the same partitions, which delivers something else from them. */
export function sourceFrom<T>(source: Source<RawLine>, buildPart: Source<T>["buildPart"]): Source<T> {
  const { partitioning, positions } = source;
  const wholeAfter = source.wholeAfter?.bind(source);
  return {
    partitioning,
    ...(positions === undefined ? {} : { positions }),
    ...(wholeAfter === undefined ? {} : { wholeAfter }),
    listParts: () => source.listParts(),
    checkStart: async (parts, context) => source.checkStart?.(parts, context),
    checkPosition: (part, position) => source.checkPosition?.(part, position),
    buildPart,
  };
}
