import { Dataflow } from "@millrace/dataflow";
import type { MemoryStore, Sink, Source } from "@millrace/dataflow";

const FLOW = "listing";

/** Rows that become visible with the commits of a store. */
function listSink(store: MemoryStore): Sink<unknown> {
  return {
    store,
    buildPart() {
      let rows: unknown[] = [];
      const none = (): Promise<void> => Promise.resolve();
      return Promise.resolve({
        writeBatch(batch) {
          rows.push(...batch);
          return Promise.resolve();
        },
        flush: none,
        close: none,
        takeOutputs() {
          const taken = rows;
          rows = [];
          return [{ step: "out", target: null, rows: taken }];
        },
      });
    },
  };
}

/** Lists every event once, in order, in the store. */
export function listing(source: Source<number>, store: MemoryStore, sink = listSink(store)): Dataflow {
  const flow = new Dataflow(FLOW);
  flow.input("in", source).output("out", sink);
  return flow;
}

/** What is listed of one partition. */
export function listed(store: MemoryStore, part: string): readonly unknown[] {
  return store.outputs({ flow: FLOW, part }).flatMap(({ rows }) => rows);
}

/** The identity of one of its tasks. */
export function listingTask(part: string): { readonly flow: string; readonly part: string } {
  return { flow: FLOW, part };
}
