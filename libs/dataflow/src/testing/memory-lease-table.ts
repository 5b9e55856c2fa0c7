import { FlowError } from "../errors.ts";
import type { WorkerHeartbeat, LeaseTable, LeaseTableContext, WorkerShare } from "../leases/lease-table.ts";

/** A lease table in this process, with a clock of its own. All workers use the same one. */
export class MemoryLeaseTable implements LeaseTable {
  readonly #parts: readonly string[];
  readonly #now: () => number;
  /** End of each worker's lease. */
  readonly #leases = new Map<string, { readonly end: number; readonly leaving: boolean }>();
  readonly #owners = new Map<string, string>();
  #formed = 0;

  /** @param now its clock, ms */
  constructor(parts: readonly string[], now: () => number) {
    this.#parts = parts;
    this.#now = now;
  }

  /** What an assignment opens. @throws FlowError for other partitions */
  readonly open = ({ flow, parts }: LeaseTableContext): LeaseTable => {
    if (parts.join() !== this.#parts.join())
      throw new FlowError(`flow "${flow}": the other workers share ${this.#parts.join()}`);
    return this;
  };

  /** The live owner of a part. */
  ownerOf(part: string): string | undefined {
    this.#expire();
    const owner = this.#owners.get(part);
    return owner !== undefined && this.#leases.has(owner) ? owner : undefined;
  }

  beat({ worker, leaseMs, leaving }: WorkerHeartbeat): Promise<WorkerShare> {
    this.#expire();
    const now = this.#now();
    if (this.#leases.size === 0) this.#formed = now;
    this.#leases.set(worker, { end: now + leaseMs, leaving });
    const formingMs = Math.max(this.#formed + leaseMs / 30 - now, 0);
    const atMost = leaving ? 0 : this.#shareOf(worker);
    const owned = this.#parts.filter((part) => this.#owners.get(part) === worker);
    if (formingMs === 0) {
      for (const part of this.#parts) {
        if (owned.length >= atMost) break;
        if (this.ownerOf(part) !== undefined) continue;
        this.#owners.set(part, worker);
        owned.push(part);
      }
    }
    return Promise.resolve({ owned, atMost, formingMs });
  }

  release(worker: string, part: string): Promise<void> {
    if (this.#owners.get(part) === worker) this.#owners.delete(part);
    return Promise.resolve();
  }

  leave(worker: string): Promise<void> {
    this.#leases.delete(worker);
    for (const part of this.#parts) void this.release(worker, part);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #expire(): void {
    for (const [worker, { end }] of this.#leases) if (end <= this.#now()) this.#leases.delete(worker);
  }

  /** Who has the most parts keeps the extra one, so that nothing moves that need not. */
  #shareOf(worker: string): number {
    const sharers = [...this.#leases].filter(([, { leaving }]) => !leaving).map(([name]) => name);
    const load = (of: string): number => this.#parts.filter((part) => this.#owners.get(part) === of).length;
    sharers.sort((a, b) => load(b) - load(a) || (a < b ? -1 : 1));
    const extra = sharers.indexOf(worker) < this.#parts.length % sharers.length ? 1 : 0;
    return Math.floor(this.#parts.length / sharers.length) + extra;
  }
}
