/** What a ratio is to be. */
export interface Target<Ratio extends string> {
  readonly ratio: Ratio;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** A target, and whether it was met. */
export interface ToldTarget<Ratio extends string> extends Target<Ratio> {
  readonly met: boolean;
}

/** Tells of each target whether the ratios of a case meet it. */
export function toldTargets<Ratio extends string>(
  targets: readonly Target<Ratio>[],
  ratios: Readonly<Partial<Record<Ratio, number>>>,
): readonly ToldTarget<Ratio>[] {
  return targets.map((target) => ({ ...target, met: isMet(target, ratios[target.ratio]) }));
}

/**
 * Targets as people read them.
 *
 * @param names of what is compared with, where that differs
 */
export function targetsText<Ratio extends string>(
  targets: readonly ToldTarget<Ratio>[],
  names?: Readonly<Record<Ratio, string>>,
): string {
  return targets
    .map(({ ratio, atMost, atLeast, met }) => {
      const bound = atMost === undefined ? `at least ${atLeast ?? 0}x` : `at most ${atMost}x`;
      return `${bound}${names === undefined ? "" : ` of ${names[ratio]}`}: ${met ? "met" : "missed"}`;
    })
    .join(", ");
}

function isMet({ atMost = Infinity, atLeast = 0 }: Target<string>, figure = Number.NaN): boolean {
  return figure <= atMost && figure >= atLeast;
}
