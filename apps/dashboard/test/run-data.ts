import type { Row, Sample, StreamEvents, Task, Tasks, Window } from "@millrace/observe/api";

// Values by the schemas of the API, with what a test changes.

export function rowOf(key: string, numbers: Readonly<Record<string, number>>, more: Partial<Row> = {}): Row {
  return {
    key,
    part: "clicks",
    value: numbers,
    numbers,
    revision: 0,
    cause: "watermark",
    complete: true,
    overflow: null,
    ...more,
  };
}

export function windowOf(open: number, more: Partial<Window> = {}): Window {
  const { step = "windows", close = open + 5_000 } = more;
  return {
    id: `${step}/${open}/${close}`,
    step,
    open,
    close,
    status: "final",
    cause: "watermark",
    revision: 0,
    complete: true,
    openIn: [],
    keys: 0,
    measures: ["events"],
    totals: {},
    top: [],
    rest: { rows: 0, totals: {} },
    rowsKept: true,
    exact: true,
    updatedAt: close + 100,
    ...more,
  };
}

export function taskOf(part: string, more: Partial<Task> = {}): Task {
  return {
    part,
    phase: "running",
    hold: "nothing",
    holdReason: null,
    holdsFlowBack: false,
    connected: true,
    reconnects: 0,
    watermark: null,
    watermarkAgeMs: null,
    lastEventAt: null,
    lagMs: null,
    lagEntries: null,
    queued: 0,
    drainedAt: null,
    received: 0,
    duplicates: 0,
    lost: 0,
    malformed: 0,
    batches: 0,
    lastBatchMs: 0,
    longestBatchMs: 0,
    commits: 0,
    lastCommit: null,
    reloads: 0,
    steps: [],
    ...more,
  };
}

export function tasksOf(at: number, tasks: readonly Task[], account: Partial<Tasks["account"]> = {}): Tasks {
  return {
    at,
    account: {
      received: 0,
      decoded: 0,
      malformed: 0,
      blank: 0,
      skipped: 0,
      duplicates: 0,
      windowed: 0,
      counted: 0,
      late: 0,
      refused: 0,
      possibleDuplicates: 0,
      suspicious: 0,
      lost: 0,
      discarded: 0,
      uncommitted: 0,
      uncertainSince: null,
      unaccounted: 0,
      rowsOut: {},
      ...account,
    },
    tasks: [...tasks],
    others: null,
  };
}

export function sampleOf(at: number, more: Partial<Sample> = {}): Sample {
  return {
    at,
    received: 0,
    counted: 0,
    late: 0,
    lost: 0,
    rowsOut: 0,
    commits: 0,
    lagMs: null,
    watermarkAgeMs: null,
    ...more,
  };
}

export function snapshotOf(more: Partial<StreamEvents["snapshot"]> = {}): StreamEvents["snapshot"] {
  return {
    flow: {
      flow: "audience",
      startedAt: 0,
      version: "0.1.0",
      steps: [
        { id: "clicks", operator: "input", kind: "input", inputs: [], ports: ["down"], detail: null },
        {
          id: "windows",
          operator: "window",
          kind: "windows",
          inputs: [{ step: "clicks", port: "down" }],
          ports: ["down", "late"],
          detail: null,
        },
      ],
    },
    tasks: tasksOf(1_000, []),
    windows: { at: 1_000, windows: [] },
    history: { everyMs: 1_000, samples: [] },
    deadLetters: { total: 0, reasons: {}, letters: [] },
    ...more,
  };
}
