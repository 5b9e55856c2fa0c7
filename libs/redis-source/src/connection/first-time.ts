import type { Logger } from "@millrace/dataflow";

const said = new WeakMap<Logger, Set<string>>();

/** Whether a log is to be told something for the first time: many connections to one server would all say the same. */
export function isFirstTime(logger: Logger, what: string): boolean {
  const before = said.get(logger) ?? new Set();
  said.set(logger, before);
  if (before.has(what)) return false;
  before.add(what);
  return true;
}
