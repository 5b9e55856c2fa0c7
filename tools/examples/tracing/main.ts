import { traceRun } from "@millrace/observe/tracing";
import { trace } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { CallbackSink, JsonlFileSource, MemoryStore, run } from "millrace";
import visits from "./flow.ts";

// In a service: a BatchSpanProcessor, with an exporter that sends spans to a collector.
const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
);

const flow = visits({
  source: new JsonlFileSource("visits.jsonl"),
  out: new CallbackSink(() => undefined),
});
await run(flow, { store: new MemoryStore(), commitEveryMs: 60_000, observers: [traceRun()] });

const spans = exporter.getFinishedSpans();
for (const name of ["millrace.batch", "millrace.close", "millrace.publish", "millrace.commit"]) {
  const those = spans.filter((span) => span.name === name);
  const sum = (attribute: string) =>
    those.reduce((total, { attributes }) => total + Number(attributes[attribute] ?? 0), 0);
  console.log(
    `${name}: ${those.length} spans, ${sum("millrace.events")} events, ${sum("millrace.rows")} rows`,
  );
}
