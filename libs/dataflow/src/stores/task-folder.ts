import { link, open, readFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Commit } from "../contracts/store.ts";
import { StateError, messageOf } from "../errors.ts";

/** A stored commit, with the owner that made it. */
export interface KeptCommit {
  readonly fence: number;
  /** Earlier versions stored neither counts nor the format. */
  readonly commit: Omit<Commit, "counts" | "format"> & Partial<Pick<Commit, "counts" | "format">>;
}

interface KeptFile {
  readonly kept: KeptCommit;
  readonly bytes: number;
}

type FileKind = "fence" | "commit" | "snapshot";

/** The beginning of a snapshot that states its number of fields. */
const HEAD = /^\{"fields":(\d+),/;
const HEAD_BYTES = 64;

const NAME = /^(fence|commit|snapshot)-(\d+)$/;

/** The files of one task: `fence-<owner>`, `commit-<number>` and `snapshot-<number of the last commit in it>`. */
export class TaskFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Creates the next fence, which only one process can do. */
  async takeFence(): Promise<number> {
    for (;;) {
      const fence = (await this.newestFence()) + 1;
      try {
        await (await open(this.#file("fence", fence), "wx")).close();
      } catch (error) {
        if (hasCode(error, "EEXIST")) continue;
        throw error;
      }
      await this.#removeBelow("fence", fence);
      return fence;
    }
  }

  async newestFence(): Promise<number> {
    return Math.max(0, ...(await this.#numbers("fence")));
  }

  /** @returns its size in bytes; `undefined` if a commit with that number exists already */
  async createCommit(kept: KeptCommit): Promise<number | undefined> {
    const file = this.#file("commit", kept.commit.number);
    const { draft, bytes } = await this.#draft(file, kept);
    try {
      // Unlike a rename, a link fails if the name exists, and the name appears only with the whole content.
      await link(draft, file);
    } catch (error) {
      if (hasCode(error, "EEXIST")) return undefined;
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
    await this.#sync();
    return bytes;
  }

  /**
   * Replaces the commits up to the one that `kept` is named after.
   *
   * @param fields its number of fields, which the file begins with, so that it is known before the rest is read
   * @returns its size in bytes
   */
  async writeSnapshot(kept: KeptCommit, fields: number): Promise<number> {
    const { number } = kept.commit;
    const file = this.#file("snapshot", number);
    const { draft, bytes } = await this.#draft(file, { fields, ...kept });
    await rename(draft, file);
    await this.#sync();
    await this.#removeBelow("snapshot", number);
    await this.#removeBelow("commit", number + 1);
    return bytes;
  }

  /** Number of fields of the newest snapshot; 0: there is none, or it does not state its number. */
  async snapshotFields(): Promise<number> {
    const newest = await this.#newestSnapshot();
    if (newest === 0) return 0;
    const handle = await open(this.#file("snapshot", newest), "r");
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return Number(HEAD.exec(buffer.toString("utf8", 0, bytesRead))?.[1] ?? 0);
    } finally {
      await handle.close();
    }
  }

  /** The newest snapshot and the commits after it, in order. */
  async read(): Promise<{ readonly snapshot: KeptFile | undefined; readonly commits: readonly KeptFile[] }> {
    const newest = await this.#newestSnapshot();
    const numbers = (await this.#numbers("commit")).filter((number) => number > newest).sort((a, b) => a - b);
    const commits: KeptFile[] = [];
    for (const number of numbers) commits.push(await this.#read(this.#file("commit", number)));
    return { snapshot: newest === 0 ? undefined : await this.#read(this.#file("snapshot", newest)), commits };
  }

  async #newestSnapshot(): Promise<number> {
    return Math.max(0, ...(await this.#numbers("snapshot")));
  }

  async #read(file: string): Promise<KeptFile> {
    try {
      const text = await readFile(file, "utf8");
      return { kept: JSON.parse(text) as KeptCommit, bytes: Buffer.byteLength(text) };
    } catch (error) {
      throw new StateError(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
    }
  }

  async #draft(
    file: string,
    kept: KeptCommit & { readonly fields?: number },
  ): Promise<{ readonly draft: string; readonly bytes: number }> {
    const draft = `${file}.${kept.fence}.draft`;
    const text = JSON.stringify(kept);
    const handle = await open(draft, "w");
    try {
      await handle.writeFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    return { draft, bytes: Buffer.byteLength(text) };
  }

  /** Makes new names durable. A platform that cannot sync a directory does it by itself. */
  async #sync(): Promise<void> {
    const handle = await open(this.path, "r");
    try {
      await handle.sync();
    } catch (error) {
      if (!hasCode(error, "EPERM") && !hasCode(error, "EINVAL")) throw error;
    } finally {
      await handle.close();
    }
  }

  async #removeBelow(kind: FileKind, number: number): Promise<void> {
    const old = (await this.#numbers(kind)).filter((each) => each < number);
    await Promise.all(old.map((each) => rm(this.#file(kind, each), { force: true })));
  }

  async #numbers(kind: FileKind): Promise<readonly number[]> {
    return (await this.#names()).flatMap((name) => {
      const [, found, number] = NAME.exec(name) ?? [];
      return found === kind ? [Number(number)] : [];
    });
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.path);
    } catch (error) {
      // A task that was never acquired has no directory yet.
      if (hasCode(error, "ENOENT")) return [];
      throw error;
    }
  }

  #file(kind: FileKind, number: number): string {
    return join(this.path, `${kind}-${number}`);
  }
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === code;
}
