import { UsageError } from "@millrace/cli";
import type { Logger } from "@millrace/dataflow";
import type { RunConfig } from "../options/run-options.ts";
import { flowLabel } from "../flows/flow-choice.ts";
import type { FlowParts } from "../flows/flow-parts.ts";

/** The same parts, and the names of those that a flow has looked at. */
export function watchedParts(parts: FlowParts): {
  readonly parts: FlowParts;
  readonly used: ReadonlySet<string>;
} {
  const used = new Set<string>();
  const watching = new Proxy(parts, {
    get(target, name): unknown {
      used.add(String(name));
      return Reflect.get(target, name);
    },
  });
  return { parts: watching, used };
}

/**
 * Warns of each option that was given for a part of which the flow makes no use.
 *
 * @throws UsageError for `--late`, whose file would stay empty as if no event had been late
 */
export function checkUnused({ flow, sink }: RunConfig, used: ReadonlySet<string>, logger: Logger): void {
  const [late] = flow.given.late;
  if (late !== undefined && !used.has("late")) {
    throw new UsageError(
      `${late} would write nothing: the flow ${flowLabel(flow.choice)} does not use it. ` +
        'Leave it out, or connect the part "late" to the late events of a window step.',
    );
  }
  const unused = Object.entries(flow.given).flatMap(([part, options]) => (used.has(part) ? [] : options));
  if (sink === "redis" && !used.has("results") && !used.has("out")) unused.push("--sink=redis");
  for (const option of unused) {
    logger.warn(
      { event: "option-unused", option },
      `${option} has no effect: the flow ${flowLabel(flow.choice)} does not use it`,
    );
  }
}
