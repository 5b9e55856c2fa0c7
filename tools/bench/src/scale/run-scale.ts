import type { Bed } from "../conductor/bed.ts";
import { measure } from "../conductor/trial.ts";
import { millrace } from "../pipeline/contenders.ts";
import { cpuRatio, cpuText, figuresOf } from "../rounds/figures.ts";
import type { CaseFigures } from "../rounds/figures.ts";
import { runRounds, scaledSize } from "../rounds/run-rounds.ts";
import type { RoundSettings, Turn } from "../rounds/run-rounds.ts";
import { toldTargets } from "../rounds/targets.ts";
import type { Target, ToldTarget } from "../rounds/targets.ts";
import type { Scale, ScaleEnd } from "./scales.ts";

/** CPU time per event against that of the small case. */
export type ScaleRatio = "ratioToSmall";

/** What an end of a scale came to. */
export interface ScaleLine extends CaseFigures, Partial<Record<ScaleRatio, number>> {
  readonly case: string;
  readonly title: string;
  readonly contender: string;
  readonly targets?: readonly ToldTarget<ScaleRatio>[];
}

/** Flat: within a fifth. */
const TARGETS: readonly Target<ScaleRatio>[] = [{ ratio: "ratioToSmall", atMost: 1.2 }];

/** Measures both ends of a scale by turns. */
export async function runScale(
  bed: Bed,
  scale: Scale,
  settings: RoundSettings,
): Promise<readonly ScaleLine[]> {
  const turnOf = (end: ScaleEnd): Turn => ({
    case: end.case,
    contender: end.contender,
    measure: () => measure(bed, end.load, millrace(end.contender), scaledSize(end.size, settings.scale)),
    figures: [],
  });
  const [small, large] = [turnOf(scale.small), turnOf(scale.large)];
  await runRounds([small, large], settings, cpuText);
  const ratios = { ratioToSmall: cpuRatio(large, small) };
  const lineOf = (turn: Turn): ScaleLine => ({
    case: turn.case,
    title: scale.title,
    contender: turn.contender,
    ...figuresOf(turn),
  });
  return [lineOf(small), { ...lineOf(large), ...ratios, targets: toldTargets(TARGETS, ratios) }];
}
