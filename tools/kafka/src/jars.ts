import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { LocalKafkaError } from "./local-kafka-error.ts";
import { lookForJava } from "./look-for-java.mjs";

const POM = join(import.meta.dirname, "../pom.xml");
const CACHE = join(import.meta.dirname, "../../../node_modules/.cache/millrace-kafka");

/**
 * The class path of Kafka. The first call fetches the jars from Maven Central into `node_modules/.cache`: 44 MB.
 *
 * @throws LocalKafkaError KAFKA_JAVA_MISSING, KAFKA_JARS_MISSING
 */
export async function kafkaClassPath(): Promise<string> {
  const missing = lookForJava();
  if (missing !== undefined) throw new LocalKafkaError("KAFKA_JAVA_MISSING", missing.why);
  const folder = join(CACHE, createHash("sha256").update(readFileSync(POM)).digest("hex").slice(0, 16));
  if (!existsSync(folder)) await fetchJars(folder);
  return join(folder, "*");
}

/** Fetches into a folder of its own, so that a fetch that is interrupted, or runs twice, leaves no half of them. */
async function fetchJars(folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const fresh = await mkdtemp(join(CACHE, "fetching-"));
  const copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${fresh}`];
  try {
    await promisify(execFile)("mvn", ["-B", "-q", "-f", POM, ...copy]);
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another process was faster.
    if (existsSync(folder)) return;
    const why = error instanceof Error ? error.message : String(error);
    throw new LocalKafkaError("KAFKA_JARS_MISSING", `Maven could not fetch Kafka's jars: ${why}`, {
      cause: error,
    });
  }
}
