import type { Run } from "./model.ts";

/** One count of the account. `good`: in the results; `bad`: missing from them; `plain`: neither. */
export interface Entry {
  readonly name: string;
  readonly count: number;
  readonly is: "good" | "bad" | "plain";
}

/** A count that others make up: the total is their sum if nothing is unaccounted for. */
export interface Equation {
  readonly name: string;
  readonly total: number;
  readonly parts: readonly Entry[];
}

/**
 * Where every event went. What was published is known as far as sources number their messages: what they received, what they
 * know to be lost, and what came twice.
 */
export function equations({ flow, tasks: { account, tasks } }: Run): readonly Equation[] {
  const kinds = new Map(flow.steps.map(({ id, kind }) => [id, kind]));
  const has = (kind: string): boolean => flow.steps.some((step) => step.kind === kind);
  const skippedAtWindows = tasks
    .flatMap(({ steps }) => steps)
    .filter(({ id }) => kinds.get(id) === "windows")
    .reduce((sum, { figures }) => sum + (figures["skipped"] ?? 0), 0);
  const { received, lost, duplicates } = account;
  const published: Equation = {
    name: "published",
    total: received + lost + duplicates,
    parts: [good("received", received), bad("lost", lost), plain("duplicate", duplicates)],
  };
  const decoded = has("decode")
    ? good("decoded", account.decoded)
    : good("passed on", received - account.malformed);
  const read: Equation = {
    name: "received",
    total: received,
    parts: [decoded, bad("malformed", account.malformed), plain("blank", account.blank)],
  };
  const windowed: Equation = {
    name: "in windows",
    total: account.windowed,
    parts: [
      good("counted", account.counted),
      bad("late", account.late),
      bad("refused", account.refused),
      bad("skipped", skippedAtWindows),
    ],
  };
  return has("windows") ? [published, read, windowed] : [published, read];
}

/** Counts that are no part of an equation, where they are not 0. */
export function remarks({ tasks: { account } }: Run): readonly Entry[] {
  return [
    bad("given up by steps", account.skipped),
    plain("possible duplicates", account.possibleDuplicates),
    bad("suspicious", account.suspicious),
    plain("processed, and taken back when the store was", account.discarded),
    plain("processed, and left to the next worker", account.uncommitted),
  ].filter(({ count }) => count > 0);
}

const good = (name: string, count: number): Entry => ({ name, count, is: "good" });
const bad = (name: string, count: number): Entry => ({ name, count, is: "bad" });
const plain = (name: string, count: number): Entry => ({ name, count, is: "plain" });
