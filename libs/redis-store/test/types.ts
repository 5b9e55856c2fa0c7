/**
 * Checked by the compiler alone: result sinks take what windows give, without a type argument. Nothing here is run.
 */
import { mapRows } from "@millrace/dataflow";
import type { PartResult, Stream } from "@millrace/dataflow";
import { RedisStreamResultSink } from "@millrace/redis-store";
import type { RedisStore } from "@millrace/redis-store";
import type { WindowResult } from "@millrace/windowing";

declare const store: RedisStore;
declare const visits: Stream<PartResult<number>, string>;
declare const resultOf: (row: { readonly page: string; readonly visits: number }) => WindowResult<number>;

visits.output("as_they_are", store.results());
visits.output("values", store.results({ row: ({ value }) => value.toFixed(), ttlMs: 1_000 }));
visits
  .mapValue((count, { key }) => ({ page: key, visits: count }))
  .output(
    "rows",
    store.results({ row: ({ value, revision }) => ({ ...value, revision, page: value.page }) }),
  );
visits.output("appended", new RedisStreamResultSink(store));

const plain = visits.map(({ key, value }) => ({ page: key, visits: value }));
// @ts-expect-error a row that is not a result has no window and no revision
plain.output("bad_rows", store.results());
plain.output("mapped", mapRows(store.results(), resultOf));
// @ts-expect-error the sink finds the window and the key of a result itself
visits.output("bad_option", store.results({ window: ({ window }) => window.id }));
