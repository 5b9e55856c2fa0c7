import type { WindowResult } from "@millrace/windowing";
import type { KafkaConnectionOptions } from "../connection/connection-options.ts";
import { KafkaSink } from "./kafka-sink.ts";
import type { KafkaSinkOptions } from "./kafka-sink.ts";

/** Options of {@link KafkaResultSink}. */
export interface KafkaResultSinkOptions<R> extends Pick<
  KafkaSinkOptions<WindowResult<R>>,
  "topic" | "maxBatchBytes" | "onProgress"
> {
  /** What is written of a result, as JSON. `@default its value` */
  readonly row?: (result: WindowResult<R>) => unknown;
}

/**
 * Writes results of windows to a Kafka topic, keyed by their key. What identifies a result is in the record's headers:
 * `window-id`, `window-open` and `window-close` (ms since the epoch), `key` and `revision`.
 *
 * Results are there at least once: after a crash some are written again, with the same headers. Of those with the same key
 * and window the one with the highest revision is valid; `replaces` lists sessions that are part of this one and void.
 */
export class KafkaResultSink<R = unknown> extends KafkaSink<WindowResult<R>> {
  /** @throws KafkaOptionsError */
  constructor(connection: KafkaConnectionOptions, options: KafkaResultSinkOptions<R>) {
    const { row = (result: WindowResult<R>): unknown => result.value, ...rest } = options;
    super(connection, {
      ...rest,
      keyOf: ({ key }) => key,
      encode: (result) => JSON.stringify(row(result)),
      headersOf,
    });
  }
}

function headersOf({
  window,
  key,
  revision,
  replaces,
}: WindowResult<unknown>): Readonly<Record<string, string>> {
  return {
    "window-id": String(window.id),
    "window-open": String(window.open),
    "window-close": String(window.close),
    key,
    revision: String(revision),
    ...(replaces === undefined ? {} : { replaces: replaces.join(",") }),
  };
}
