import type { StartContext } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { LayoutGuard, isOnePartition } from "./layout-record.ts";
import type { LayoutSubject } from "./layout-record.ts";
import type { PartitionLayout } from "./partition-layout.ts";
import { partitionsOf } from "./partition-names.ts";
import type { Names } from "./partition-names.ts";

/** The guards of a source's layouts, one for each name that it reads. */
export class LayoutGuards {
  readonly #byPart = new Map<string, LayoutGuard>();

  /**
   * @param layout how each name is divided
   * @param needs how many connections the source takes, for the message when Redis accepts no more
   */
  constructor(
    connection: RedisConnectionOptions,
    names: Names,
    transport: LayoutSubject["transport"],
    layout: PartitionLayout,
    needs: () => string,
  ) {
    for (const name of typeof names === "string" ? [names] : names) {
      // One partition of several does not say how many there are.
      if (isOnePartition(name)) continue;
      const guard = new LayoutGuard(connection, { name, transport }, layout, needs);
      for (const part of partitionsOf(name, layout.count)) this.#byPart.set(part, guard);
    }
  }

  /** `undefined`: the layout of the partition's name is not known. */
  of(part: string): LayoutGuard | undefined {
    return this.#byPart.get(part);
  }

  /** Checks the records of these partitions' names, as {@link LayoutGuard.begin}. */
  async begin(parts: readonly string[], context: StartContext): Promise<void> {
    const guards = new Set(parts.map((part) => this.#byPart.get(part)));
    await Promise.all([...guards].map(async (guard) => guard?.begin(context)));
  }
}
