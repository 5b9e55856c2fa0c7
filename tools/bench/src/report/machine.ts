import { cpus, release, totalmem, type } from "node:os";
import type { Redis } from "ioredis";

/** What figures were taken on: they mean something on such a machine only. */
export async function machineLine(client: Redis): Promise<string> {
  const [first] = cpus();
  const info = await client.info("server");
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
  const server =
    field("valkey_version") === undefined
      ? `Redis ${field("redis_version") ?? "unknown"}`
      : `Valkey ${field("valkey_version") ?? ""}`;
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores of ${first?.model.trim() ?? "unknown"}, ${memory} GiB, ${type()} ${release()}, Node ${process.version}, ${server}`;
}
