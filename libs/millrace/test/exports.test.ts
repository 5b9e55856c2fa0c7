import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import ts from "typescript";

const LIBS = join(import.meta.dirname, "../..");

/** What stays in the scoped packages: parts for building other libraries, of which flows need none. */
const NOT_FOR_FLOWS = {
  windowing: [
    ...[
      "createWindowEngine",
      "WindowEngine",
      "WindowEngineOptions",
      "WindowOutput",
      "WindowStats",
      "Upstream",
    ],
    ...["WindowOverflow", "KeyedBatch", "stateSpecOf", "isWindowTime", "isCalendarLength", "DURATION_FORM"],
    ...["Deduplicator", "DeduplicatorBatch", "DeduplicatorOptions", "DueHeap"],
    ...["jsonBytes", "MAX_KEPT_BYTES", "NO_SESSION_ID", "unfinishedSessions"],
    ...["windowMigrations", "WindowMigration"],
  ],
  dataflow: [
    ...["LogLines", "STDERR_LINES", "TextStream", "splitLines", "textOf"],
    ...["DEFAULT_LEASE_OPTIONS", "messageOf", "pause", "requireRoom", "thrownAt", "withDefaults"],
    ...[
      "BEGINNING",
      "STATE_FORMAT",
      "compareState",
      "requireContinuable",
      "StateComparison",
      "StepComparison",
    ],
    ...["StartPreview", "keptWindows", "previewStart"],
  ],
  "redis-source": [
    ...[
      "FRAME_MARKER",
      "FRAME_VERSION",
      "MESSAGE_LIMITS",
      "decodeFrame",
      "encodeFrame",
      "Frame",
      "FrameFailure",
    ],
    ...["FrameFailureCode", "FrameHeader", "FrameToEncode", "FrameVerdict"],
    ...["EventColumns", "SuspicionLog", "divideLedger", "uniteLedger", "sourceFrom"],
    ...["DEFAULT_LEDGER_OPTIONS", "ProducerLedger", "ProducerRecord", "isProducerName"],
    ...["DEFAULT_PUBSUB_SOURCE_OPTIONS", "DEFAULT_STREAM_SOURCE_OPTIONS", "SHORTEST_WAITING_LENGTH"],
    ...[
      "hashTag",
      "partitionNames",
      "partitionOf",
      "partitionsOf",
      "patternPartition",
      "streamLag",
      "streamWholeFrom",
    ],
    ...["KeyConnections", "OpenConnection", "describeRedis", "explainFailure", "replyKind", "ReplyKind"],
    ...["parseRedisUrl", "RedisUrl", "HostAndPort"],
  ],
  "redis-store": [
    ...["DEFAULT_REDIS_STORE_OPTIONS", "DEFAULT_STREAM_RESULT_SINK_OPTIONS", "DEFAULT_TASK_ACCESS_OPTIONS"],
    "TaskKeys",
  ],
};

/** The names, types too, that an index re-exports. */
function exportsOf(path: string): string[] {
  const index = ts.createSourceFile(path, readFileSync(join(LIBS, path), "utf8"), ts.ScriptTarget.Latest);
  return index.statements.flatMap((statement) =>
    ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)
      ? statement.exportClause.elements.map((element) => element.name.text)
      : [],
  );
}

describe.each([
  { entry: "index", packages: ["windowing", "dataflow"] },
  { entry: "redis", packages: ["redis-source", "redis-store"] },
] as const)("millrace's $entry", ({ entry, packages }) => {
  it.each(packages)("has every name of %s, except those that are listed here as not for flows", (name) => {
    const offered = new Set(exportsOf(`millrace/src/${entry}.ts`));
    const missing = exportsOf(`${name}/src/index.ts`).filter((each) => !offered.has(each));
    expect(missing.toSorted()).toEqual(NOT_FOR_FLOWS[name].toSorted());
  });
});
