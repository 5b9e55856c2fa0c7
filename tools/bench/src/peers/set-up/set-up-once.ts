import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { ROOT } from "../../conductor/paths.ts";
import type { SetUpSettings } from "../peer.ts";

/** Where peers are set up, each in a folder of its own. */
export const PEERS_FOLDER: string = join(ROOT, ".cache/bench-peers");

/** What a folder was set up from; written last, so that a set-up that broke off is not taken for one. */
const MADE_FROM = "made-from.txt";

/**
 * Sets up a folder, unless it was set up from the same before.
 *
 * @param madeFrom all that the result depends on
 */
export async function setUpOnce(
  folder: string,
  madeFrom: string,
  { logger }: Pick<SetUpSettings, "logger">,
  setUp: () => Promise<void>,
): Promise<void> {
  const stamp = join(folder, MADE_FROM);
  const before = await readFile(stamp, "utf8").catch(() => undefined);
  if (before === madeFrom) return;
  const name = basename(folder);
  logger.info({ event: "setUp", peer: name }, `setting up ${name}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await setUp();
  await writeFile(stamp, madeFrom);
}
