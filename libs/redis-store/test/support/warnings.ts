import type { Logger } from "@millrace/dataflow";

/** A log whose lines a test can wait for. */
export interface Warnings extends Logger {
  readonly events: unknown[];
  readonly messages: string[];
  /** Resolves at the next line of this event. */
  next(event: string): Promise<void>;
}

/** Log lines from the level warn on. */
export function warnings(): Warnings {
  const [events, messages]: [unknown[], string[]] = [[], []];
  let watch: ((event: unknown) => void) | undefined;
  const add = (fields: object, message: string): void => {
    const event: unknown = Reflect.get(fields, "event");
    events.push(event);
    messages.push(message);
    watch?.(event);
  };
  const next = (wanted: string): Promise<void> =>
    new Promise((resolve) => {
      watch = (event) => {
        if (event === wanted) resolve();
      };
    });
  return { events, messages, next, debug: () => undefined, info: () => undefined, warn: add, error: add };
}
