import { DURATION_FORM, parseDuration } from "@millrace/cli";
import { TumblingWindower } from "@millrace/windowing";
import type { Windower } from "@millrace/windowing";

/** Kinds of windows by name: each makes a windower of the text behind the colon. */
const KINDS: Readonly<Record<string, (length: string) => Windower>> = {
  tumbling: (length) => new TumblingWindower({ lengthMs: parseDuration(length) }),
};

/**
 * Reads the value of `--window`, such as `tumbling:5s`.
 *
 * @throws RangeError that says what is wanted
 */
export function parseWindow(text: string): Windower {
  const [kind = "", ...rest] = text.split(":");
  const build = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (build === undefined || rest.length === 0) {
    throw new RangeError(
      `${JSON.stringify(text)} is not a window: give ${Object.keys(KINDS).join(" or ")}, a colon and a length, ${DURATION_FORM}`,
    );
  }
  return build(rest.join(":"));
}
