import type { StartContext } from "@millrace/dataflow";
import type { RedisError } from "../errors.ts";

/** Says why the key of a layout cannot be used, once for each reason until it can be. What passes by itself is not said. */
export class LayoutRefusals {
  #said: string | undefined;

  /** @param key the record's, of what is named `name` */
  refused(
    failure: RedisError,
    { key, name }: { readonly key: string; readonly name: string },
    { logger, step }: Pick<StartContext, "logger" | "step">,
  ): void {
    if (failure.retryable || failure.message === this.#said) return;
    this.#said = failure.message;
    logger.warn(
      { event: "layout-unknown", step, key, code: failure.code },
      `${failure.message} Without the key "${key}" it is not noticed when publishers and readers of "${name}" divide it ` +
        "differently.",
    );
  }

  /** It can be used. */
  over(): void {
    this.#said = undefined;
  }
}
