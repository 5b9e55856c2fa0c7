import type {
  BatchDone,
  CommitDone,
  DeadLetter,
  FlowDescription,
  FlowStats,
  OpenWindow,
  ResultsEmitted,
  RowsWritten,
} from "@millrace/dataflow";
import { WORKER_VARIABLE } from "../options/share-options.ts";

/** What a worker sends its parent when it ends. */
export interface FinalReport {
  readonly kind: "report";
  readonly stats: FlowStats;
}

/** What a worker's run did since the last such message, and its present figures. */
export interface Observed {
  readonly kind: "observed";
  readonly description: FlowDescription;
  readonly stats: FlowStats;
  readonly openWindows: readonly OpenWindow[];
  readonly batches: readonly BatchDone[];
  readonly results: readonly ResultsEmitted[];
  readonly rows: readonly RowsWritten[];
  readonly commits: readonly CommitDone[];
  readonly deadLetters: readonly DeadLetter[];
}

/** What a worker sends its parent. */
export type WorkerMessage = FinalReport | Observed;

/** Whether this process was started by another one, which prints one report for all, and shows all over HTTP. */
export function isWorkerProcess(): boolean {
  return process.env[WORKER_VARIABLE] !== undefined && process.send !== undefined;
}

/** Returns when the message has left. @throws Error if the message has something that cannot be copied */
export async function sendToParent(message: WorkerMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    if (process.send === undefined) resolve();
    // A parent that is gone needs no figures.
    else
      process.send(message, undefined, undefined, () => {
        resolve();
      });
  });
}

/** Both processes run the same program, so the kind says all. */
export function isWorkerMessage(message: unknown): message is WorkerMessage {
  return (
    typeof message === "object" &&
    message !== null &&
    "kind" in message &&
    (message.kind === "report" || message.kind === "observed")
  );
}
