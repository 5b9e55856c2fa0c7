import type { TaskId } from "@millrace/dataflow";
import { RedisOptionsError, hashTag } from "@millrace/redis-source";

/** @default of the option `keyPrefix` */
export const DEFAULT_KEY_PREFIX = "millrace";

/**
 * The keys of one task. They share one hash tag, and with it one slot of a Redis Cluster: the
 * partition's own tag, or else its whole name.
 */
export class TaskKeys {
  /** The start of every key, such as `millrace:{device_events:3}:mobile_counts`. */
  readonly base: string;
  /** Hash: fence, commit number, position and the like. */
  readonly meta: string;
  /** Hash: `life`, and for each group that has a hash of its own the number of its fields. */
  readonly groups: string;
  /** List: pieces of a commit that is not made yet. */
  readonly staged: string;
  /** List: pieces of the last commit that are not applied yet. */
  readonly journal: string;
  /** A key that never exists, to test permissions and the state of the slot. */
  readonly absent: string;

  /** @throws RedisOptionsError for a partition's name that is empty, or whose slot no other key can share */
  constructor(task: TaskId, prefix: string = DEFAULT_KEY_PREFIX) {
    if (task.part === "")
      throw new RedisOptionsError(
        "The name of a partition is empty. Give it a name, so that it can have state.",
      );
    requireKeyPrefix(prefix);
    this.base = `${prefix}:${tagged(task.part)}:${escapeName(task.flow)}`;
    this.meta = `${this.base}:meta`;
    this.groups = `${this.base}:groups`;
    this.staged = `${this.base}:staged`;
    this.journal = `${this.base}:journal`;
    this.absent = `${this.base}:nothing`;
  }

  /** Hash of one group of state. */
  group(name: string): string {
    return `${this.base}:group:${encodeText(name)}`;
  }

  /** Stream of one output's rows; also the start of the hashes of its windows, and its channel for notices. */
  results(output: string): string {
    return `${this.base}:results:${escapeName(output)}`;
  }

  /** Hash of one window's rows. */
  window(output: string, window: string): string {
    return `${this.results(output)}:${encodeText(window)}`;
  }

  /** What a key of {@link pattern} `results` holds: a window's rows, or without a window a stream. */
  outputIn(key: string): { readonly output: string; readonly window: string | undefined } {
    const [output = "", window] = key.slice(`${this.base}:results:`.length).split(/:(.*)/s);
    return { output, window: window === undefined ? undefined : decodeText(window) };
  }

  /** The pattern with which SCAN finds groups of state, rows, or the revisions of rows. */
  pattern(kind: "group" | "results" | "revisions"): string {
    return `${this.base.replace(/[\\*?[\]]/g, "\\$&")}:${kind}:*`;
  }

  /** Hash of the revisions above 0 of one window's rows, each preceded by the task's life. */
  revisions(output: string, window: string): string {
    return `${this.base}:revisions:${escapeName(output)}:${encodeText(window)}`;
  }
}

/** @throws RedisOptionsError for a prefix that would change the slot */
export function requireKeyPrefix(prefix: string): void {
  if (prefix !== "" && !/[{}]/.test(prefix)) return;
  throw new RedisOptionsError(
    `keyPrefix is ${JSON.stringify(prefix)}. Give a text without braces, such as "${DEFAULT_KEY_PREFIX}".`,
  );
}

/** The partition's name with a hash tag, its own or one around it. */
function tagged(part: string): string {
  const name = encodeText(part);
  const tag = hashTag(name);
  const at = name.indexOf(tag);
  return at < 0 ? tag : escapeName(name.slice(0, at)) + tag + escapeName(name.slice(at + tag.length));
}

/** Escapes a name, so that it cannot contain the separator of names. */
export function escapeName(name: string): string {
  return encodeText(name).replaceAll("%", "%25").replaceAll(":", "%3A");
}

// With the u flag a pair of surrogates is one character, so this finds the lonely ones.
const LONELY_SURROGATE = /\p{Surrogate}/u;
const QUOTE = '"';

/**
 * Any JavaScript text as text that UTF-8 can carry, so that two names stay two. JSON lets keys have a lonely
 * surrogate, which UTF-8 has not; such text is written as a JSON string, and so is text that would look like one.
 */
export function encodeText(text: string): string {
  return text.startsWith(QUOTE) || LONELY_SURROGATE.test(text) ? JSON.stringify(text) : text;
}

/** What {@link encodeText} was given. */
export function decodeText(stored: string): string {
  if (!stored.startsWith(QUOTE)) return stored;
  const text: unknown = JSON.parse(stored);
  return typeof text === "string" ? text : stored;
}
