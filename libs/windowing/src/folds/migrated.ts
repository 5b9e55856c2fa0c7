import { WindowOptionsError } from "../errors.ts";
import type { ClosingFold, Fold, FoldPast, Seeded, StoredAccumulator } from "../fold.ts";
import { isSeeded, kindOf } from "../fold-state.ts";

/**
 * A fold that continues with what an earlier version of its step has stored by another fold: each accumulator of an open window
 * becomes one of the new fold. Windows and clock have to be the same. Several earlier folds: `migrated(migrated(…), …)`.
 *
 * A row that replaces one of before has as `previous` the value at the migration.
 *
 * @param fold the fold of now: `count`, `sum`, `min`, `max`, `reduce`, `foldOf`, or an `aggregate`
 * @param from the fold of before, as the flow had it
 * @param migrate makes the new fold's value of the result of the old one. Of an `aggregate` it names the values that are set; a
 *   fold that it leaves out keeps its accumulator, if one of the same name and kind was there, and else begins empty
 * @example migrated(aggregate({ events: count(), users: distinct((c: Click) => c.user) }), count(), (events) => ({ events }))
 * @throws WindowOptionsError for another fold
 */
export function migrated<V, A, R, Q, S>(
  fold: ClosingFold<V, A, R> & Seeded<S>,
  from: ClosingFold<never, unknown, Q>,
  migrate: (old: Q) => NoInfer<S>,
): Fold<V, A, R> & Seeded<S> {
  if (!isSeeded(fold)) {
    throw new WindowOptionsError(
      `The fold ${kindOf(fold)} cannot be made of a value, so nothing migrates to it: give its step another id.`,
    );
  }
  const past: FoldPast = {
    fold: from,
    convert(stored: StoredAccumulator) {
      const accumulator = from.restore(stored.state);
      from.parts?.restore(accumulator, stored.parts);
      return fold.seed(migrate(from.result(accumulator)), { ...stored, fold: from });
    },
  };
  return { ...fold, pasts: [...(fold.pasts ?? []), past] };
}
