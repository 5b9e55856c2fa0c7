import { RedisAssignment, RedisStore } from "@millrace/redis-store";
import { carelessly } from "../aggregator/careless-assignment.ts";
import { unfenced } from "../aggregator/careless-stores.ts";
import { wrapTask } from "../aggregator/wrap-store.ts";
import type { Guard } from "../guard.ts";

/**
 * Makes this process a careless worker: its store and its assignment are changed in place, since the command makes them itself.
 *
 * @param without the guard to switch off, `fence` or `drain`
 * @param log called for each commit and each change of what the worker has
 */
export function makeCareless(without: Guard | undefined, log: (event: string, fields: object) => void): void {
  const acquire = Reflect.get(RedisStore.prototype, "acquire");
  RedisStore.prototype.acquire = async function (task) {
    const inner = await acquire.call(this, task);
    // A worker without the fence takes a newer one.
    const { fence } = inner;
    return wrapTask(inner, async (exact, commit) => {
      const outcome = without === "fence" ? await unfenced(exact, commit) : await exact.commit(commit);
      const { number, partial } = commit;
      log("committed", { part: task.part, fence, number, partial, outcome: outcome.kind });
      return outcome;
    });
  };
  const join = Reflect.get(RedisAssignment.prototype, "join");
  RedisAssignment.prototype.join = function (parts, tasks, context) {
    const inner = {
      shared: true,
      join: (...args: Parameters<typeof join>): ReturnType<typeof join> => join.apply(this, args),
    };
    return carelessly(inner, without, (event, part) => {
      log(event, { part });
    }).join(parts, tasks, context);
  };
}
