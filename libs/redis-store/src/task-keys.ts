import type { TaskId } from "@millrace/dataflow";
import { RedisOptionsError } from "@millrace/redis-source";
import { encodeText } from "./text-codec.ts";

/** @default of the option `keyPrefix` */
export const DEFAULT_KEY_PREFIX = "millrace";

const OWN_TAG = /^([^{]*)\{([^}]+)\}(.*)$/s;

/**
 * Names of all that is kept of one task. They share one hash tag, and with it one slot of a Redis Cluster: the
 * partition's own tag, or else its whole name.
 */
export class TaskKeys {
  /** What every name starts with, such as `millrace:{device_events:3}:mobile_counts`. */
  readonly base: string;
  /** Hash: fence, commit number, position and the like. */
  readonly meta: string;
  /** Set: names of the groups that have a hash of their own. */
  readonly groups: string;
  /** List: pieces of a commit that is not yet made. */
  readonly staged: string;
  /** List: pieces of the last commit that are still to be applied. */
  readonly journal: string;
  /** Never there: a script may try its commands on it. */
  readonly nothing: string;

  /** @throws RedisOptionsError for a prefix that would change the slot */
  constructor(task: TaskId, prefix: string = DEFAULT_KEY_PREFIX) {
    if (prefix === "" || /[{}]/.test(prefix)) {
      throw new RedisOptionsError(
        `keyPrefix is ${JSON.stringify(prefix)}. Give a text without braces, such as "${DEFAULT_KEY_PREFIX}".`,
      );
    }
    this.base = `${prefix}:${tagged(task.part)}:${escape(task.flow)}`;
    this.meta = `${this.base}:meta`;
    this.groups = `${this.base}:groups`;
    this.staged = `${this.base}:staged`;
    this.journal = `${this.base}:journal`;
    this.nothing = `${this.base}:nothing`;
  }

  /** Hash of one group of state. */
  group(name: string): string {
    return `${this.base}:group:${encodeText(name)}`;
  }

  /** Stream of one output's rows; what the hashes of its windows start with; its channel for notices. */
  results(output: string): string {
    return `${this.base}:results:${escape(output)}`;
  }

  /** Hash of one window's rows. */
  window(output: string, window: string): string {
    return `${this.results(output)}:${encodeText(window)}`;
  }

  /** Match the names of all results, for SCAN. */
  get resultPatterns(): readonly string[] {
    const base = this.base.replace(/[\\*?[\]]/g, "\\$&");
    return [`${base}:results:*`, `${base}:revisions:*`];
  }

  /** Hash of the revisions of one window's rows, as far as they are above 0. */
  revisions(output: string, window: string): string {
    return `${this.base}:revisions:${escape(output)}:${encodeText(window)}`;
  }
}

/** The partition's name with a hash tag that is not empty. */
function tagged(part: string): string {
  const own = OWN_TAG.exec(part);
  if (own !== null) return `${escape(own[1] ?? "")}{${own[2] ?? ""}}${escape(own[3] ?? "")}`;
  const whole = encodeText(part).replaceAll("%", "%25").replaceAll("}", "%7D");
  return `{${whole === "" ? "%" : whole}}`;
}

/** Keeps a name from reaching into the next one. */
function escape(name: string): string {
  return encodeText(name).replaceAll("%", "%25").replaceAll(":", "%3A");
}
