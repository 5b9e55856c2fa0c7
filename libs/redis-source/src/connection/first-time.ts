import type { Logger } from "@millrace/dataflow";

const logged = new WeakMap<Logger, Set<string>>();

/** Whether something is logged for the first time: many connections to one server would all log the same. */
export function isFirstTime(logger: Logger, what: string): boolean {
  const before = logged.get(logger) ?? new Set();
  logged.set(logger, before);
  if (before.has(what)) return false;
  before.add(what);
  return true;
}
