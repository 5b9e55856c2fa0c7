import { sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Base class of all errors that Millrace raises on purpose. Branch on `code`, never on the message. */
export abstract class MillraceError extends Error {
  /** Stable, listed with cause and remedy in `docs/errors.md`. */
  abstract readonly code: string;
  /** Whether the same attempt may succeed later without a change of settings. */
  readonly retryable: boolean = false;

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An invalid flow, or an invalid option of a run. */
export class FlowError extends MillraceError {
  static readonly code = "MILLRACE_FLOW_INVALID";
  readonly code = FlowError.code;
}

/** A user's function, or an operator, failed on an event. The message ends with where the user's function threw. */
export class StepError extends MillraceError {
  static readonly code: string = "MILLRACE_STEP_FAILED";
  readonly code: string = StepError.code;
  readonly step: string;
  readonly part: string;

  constructor(step: string, part: string, message: string, cause?: unknown) {
    const place = thrownAt(cause);
    const at = place === undefined ? "" : `; thrown at ${place}`;
    super(`step "${step}", partition "${part}": ${message}${at}`, { cause });
    this.step = step;
    this.part = part;
  }
}

/** The size of a key's state, and its bound. */
export interface KeyStateSize {
  readonly key: string;
  /** Bytes of its JSON when it was last stored. */
  readonly bytes: number;
  readonly maxBytes: number;
}

/** The state of one key is too large to take in another event, or to be stored at all. */
export class KeyStateTooLargeError extends StepError {
  static override readonly code: string = "MILLRACE_KEY_STATE_TOO_LARGE";
  override readonly code: string = KeyStateTooLargeError.code;
  readonly size: KeyStateSize;

  constructor(step: string, part: string, size: KeyStateSize, remedy: string) {
    const { key, bytes, maxBytes } = size;
    super(
      step,
      part,
      `the state of key ${JSON.stringify(key)} has ${bytes} bytes of JSON, at most ${maxBytes} are allowed. ${remedy}`,
    );
    this.size = size;
  }
}

/** A source could not be opened or read. */
export class SourceError extends MillraceError {
  static readonly code = "MILLRACE_SOURCE_FAILED";
  readonly code = SourceError.code;
}

/** A sink could not be opened or written. */
export class SinkError extends MillraceError {
  static readonly code = "MILLRACE_SINK_FAILED";
  readonly code = SinkError.code;
}

/** A newer owner has the task: this worker must stop. */
export class FencedError extends MillraceError {
  static readonly code = "MILLRACE_FENCED";
  readonly code = FencedError.code;
}

/** The stored state was written by a flow of another shape, so it cannot be read safely. */
export class StateMismatchError extends MillraceError {
  static readonly code = "MILLRACE_STATE_MISMATCH";
  readonly code = StateMismatchError.code;
}

/** The stored state was written by a newer Millrace, in a format that this one does not know. */
export class StateFormatError extends MillraceError {
  static readonly code = "MILLRACE_STATE_FORMAT";
  readonly code = StateFormatError.code;
}

/** State that cannot be stored, or that a store returned damaged. */
export class StateError extends MillraceError {
  static readonly code = "MILLRACE_STATE_INVALID";
  readonly code = StateError.code;
}

/** The stored state of a task has more keys than fit into this run. */
export class StateTooLargeError extends MillraceError {
  static readonly code = "MILLRACE_STATE_TOO_LARGE";
  readonly code = StateTooLargeError.code;
}

/** Stopping took longer than its deadline; the message says what is missing. */
export class DrainTimeoutError extends MillraceError {
  static readonly code = "MILLRACE_DRAIN_TIMEOUT";
  readonly code = DrainTimeoutError.code;
}

/**
 * Whether an error is one of Millrace's own, from any of its libraries. It checks the code and not the class: if the package is
 * installed twice, each copy has classes of its own.
 *
 * @param code of one class of errors. @default any
 */
export function hasCode(error: unknown, code?: string): error is Error & { readonly code: string } {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    (code === undefined ? error.code.startsWith("MILLRACE_") : error.code === code)
  );
}

/** Wraps an error as a StepError, unless it is one of Millrace's own. */
export function asStepError(error: unknown, step: string, part: string): Error {
  return hasCode(error) ? error : new StepError(step, part, messageOf(error), error);
}

/** Wraps an error as a SourceError, unless it is one of Millrace's own. @param part absent: of all partitions */
export function asSourceError(error: unknown, step: string, part?: string): Error {
  return hasCode(error) ? error : new SourceError(placed(error, step, part), { cause: error });
}

/** Wraps an error as a SinkError, unless it is one of Millrace's own. */
export function asSinkError(error: unknown, step: string, part: string): Error {
  return hasCode(error) ? error : new SinkError(placed(error, step, part), { cause: error });
}

function placed(error: unknown, step: string, part: string | undefined): string {
  return `step "${step}"${part === undefined ? "" : `, partition "${part}"`}: ${messageOf(error)}`;
}

/** The message of any thrown value, on one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The folder of all packages of Millrace: in an installation, or in their own workspace. */
const PACKAGES = fileURLToPath(new URL("../../", import.meta.url));
const FRAME = /(?:\(|at (?:async )?)((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?$/;

/**
 * Where a user's function threw: file, line and column of the first frame that is neither Node's nor a package's. The
 * search ends at the first frame of Millrace.
 *
 * @returns `undefined` if the stack has no such frame
 */
export function thrownAt(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  for (const line of error.stack.split("\n")) {
    const place = FRAME.exec(line.trimEnd())?.[1];
    if (place === undefined) continue;
    const path = place.startsWith("file://") ? fileURLToPath(place) : place;
    if (isMillraces(path)) return undefined;
    if (!path.includes(`${sep}node_modules${sep}`)) return path;
  }
  return undefined;
}

function isMillraces(path: string): boolean {
  if (!path.startsWith(PACKAGES)) return false;
  // In the workspace tests and examples lie next to the sources.
  const [, folder] = path.slice(PACKAGES.length).split(sep);
  return folder === "src" || folder === "dist";
}
