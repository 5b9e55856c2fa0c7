import { LeaseAssignment } from "@millrace/dataflow";
import type { LeaseOptions } from "@millrace/dataflow";
import { describeRedis } from "@millrace/redis-source";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { requireKeyPrefix } from "../task-keys.ts";
import { GroupKeys } from "./group-keys.ts";
import { RedisLeaseTable } from "./redis-lease-table.ts";

/** Options of a `RedisAssignment`. */
export interface RedisAssignmentOptions extends LeaseOptions {
  /** The workers that share tasks with each other. `@default the flow's id` */
  readonly group?: string;
  /** First part of every key, without braces. `@default "millrace"` */
  readonly keyPrefix?: string;
}

/**
 * Shares a flow's tasks among its workers, which find each other in Redis: as many as wanted, on any machines, without any
 * configuration beside the connection. No worker has more than its share, and only tasks move whose owner left or has too
 * many. A worker that stops hands its tasks over within a heartbeat, a tenth of the lease; those of one that crashed go to the
 * others when its lease is over.
 */
export class RedisAssignment extends LeaseAssignment {
  /** Connects when a run starts. @throws RedisOptionsError, FlowError */
  constructor(connection: RedisConnectionOptions, options: RedisAssignmentOptions = {}) {
    const { group, keyPrefix } = options;
    describeRedis(connection);
    if (keyPrefix !== undefined) requireKeyPrefix(keyPrefix);
    super(
      (context) => new RedisLeaseTable(connection, new GroupKeys(group ?? context.flow, keyPrefix), context),
      options,
    );
  }
}
