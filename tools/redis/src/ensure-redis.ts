/*
 * Imported in front of a program (`node --import …`): sees to it that there is a Redis where the program will look.
 * Whatever the environment or a flag names is used, else what listens on localhost already, so that programs in
 * several terminals share one, and know whose it is; else a server is started that lives as long as the program. The
 * program calls for it once it has read its options: nothing is started for a program that refuses them.
 *
 * It is not a task of its own: a task runner gives the terminal (progress bar, colours) only to a program that runs
 * alone, and a program that stops still needs its Redis until it is done.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { LocalRedisError } from "./local-redis-error.ts";
import { onGone, ownerOf } from "./owner.ts";
import { startRedis } from "./start-redis.ts";

/** Programs look for a function under this symbol when they have read their options. */
const KEY = Symbol.for("millrace.before-program");

const given = variable("REDIS_PORT");
const port = Number(given ?? 6_379);

Reflect.set(globalThis, KEY, async (config: unknown, stop?: AbortSignal): Promise<void> => {
  try {
    // A program whose options name no Redis, such as one that prints a graph, needs none.
    if (fieldOf(config, "redis") === undefined || isNamed()) return;
    const password = passwordIn(config);
    if (!(await isListening()) && (await startRedisHere(password))) return;
    await shareRedis(password, stop);
  } catch (error) {
    if (!(error instanceof LocalRedisError)) throw error;
    say(error.message);
    process.exit(1);
  }
});

/** @returns whether it is this program's own */
async function startRedisHere(password: string | undefined): Promise<boolean> {
  try {
    await startRedis({ port, ...(password === undefined ? {} : { password }) });
    say(`started on localhost:${port}, for as long as this program runs; it keeps nothing`);
    return true;
  } catch (error) {
    // Another terminal was quicker: theirs will do.
    if (!(error instanceof LocalRedisError && error.code === "REDIS_PORT_TAKEN")) throw error;
    return false;
  }
}

/** The Redis of another program goes with that program, which this one has to say: it does not end for it. */
async function shareRedis(password: string | undefined, stop: AbortSignal | undefined): Promise<void> {
  const address = { host: "localhost", port, password };
  const owner = await ownerOf(address);
  if (owner === undefined) return;
  say(`using the one on localhost:${port} that ${owner} has started, and that ends with it`);
  void onGone(address, () => {
    if (stop?.aborted === true) return;
    say(
      `the one on localhost:${port} was that of ${owner}, and is gone with it; waiting for another one there`,
    );
  });
}

function isNamed(): boolean {
  const flagged = process.argv.some((argument) => /^--redis-(url|host|port|sentinels)\b/.test(argument));
  const named = ["REDIS_URL", "REDIS_HOST", "REDIS_SENTINELS"].some((name) => variable(name) !== undefined);
  // A port may come as an address: Kubernetes sets REDIS_PORT=tcp://10.96.0.11:6379.
  return flagged || named || (given !== undefined && !/^\d+$/.test(given));
}

/** The password that the program will give, be it from a file. */
function passwordIn(config: unknown): string | undefined {
  const password = fieldOf(fieldOf(config, "redis"), "password");
  return typeof password === "string" ? password : undefined;
}

function fieldOf(object: unknown, name: string): unknown {
  return typeof object === "object" && object !== null ? Reflect.get(object, name) : undefined;
}

/** Whether anything does: if it is no Redis, the program itself will say so best. */
async function isListening(): Promise<boolean> {
  const socket = connect(port, "localhost");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** An empty variable counts as none. */
function variable(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}

function say(sentence: string): void {
  process.stderr.write(`redis: ${sentence}\n`);
}
