import { RedisOptionsError } from "@millrace/redis-source";
import { DEFAULT_KEY_PREFIX, escapeName, requireKeyPrefix } from "../task-keys.ts";

/** The keys of a group of workers that share tasks. They share one hash tag, and with it one slot of a Redis Cluster. */
export class GroupKeys {
  /** The start of every key, such as `millrace:{mobile_counts}:share`. */
  readonly base: string;
  /** Sorted set: workers, by the end of their leases. */
  readonly workers: string;
  /** Sorted set: workers that give up their tasks, by the end of their leases. */
  readonly leaving: string;
  /** Hash: the owner of each part. */
  readonly owners: string;
  /** Hash: what is known of each worker, when the group formed, and what it shares. */
  readonly about: string;

  /** @throws RedisOptionsError */
  constructor(group: string, prefix: string = DEFAULT_KEY_PREFIX) {
    if (group === "") throw new RedisOptionsError("The name of a group of workers is empty. Give it a name.");
    requireKeyPrefix(prefix);
    // A brace would end the tag.
    const tag = escapeName(group).replaceAll("{", "%7B").replaceAll("}", "%7D");
    this.base = `${prefix}:{${tag}}:share`;
    this.workers = `${this.base}:workers`;
    this.leaving = `${this.base}:leaving`;
    this.owners = `${this.base}:owners`;
    this.about = `${this.base}:about`;
  }

  /** In the order in which the scripts take them. */
  get all(): readonly [workers: string, leaving: string, owners: string, about: string] {
    return [this.workers, this.leaving, this.owners, this.about];
  }
}
