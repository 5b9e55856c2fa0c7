/*
 * Imported in front of a program (`node --import …`): sees to it that there is a Redis where the program will look.
 * Whatever the environment or a flag names is used, else what listens on localhost already, so that programs in
 * several terminals share one; else a server is started that lives as long as the program. The program calls for it
 * once it has read its options: nothing is started for a program that refuses them.
 *
 * It is not a task of its own: a task runner gives the terminal (progress bar, colours) only to a program that runs
 * alone, and a program that stops still needs its Redis until it is done.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { LocalRedisError } from "./local-redis-error.ts";
import { startRedis } from "./start-redis.ts";

/** Programs look for a function under this symbol when they have read their options. */
const KEY = Symbol.for("millrace.before-program");

const given = variable("REDIS_PORT");
const port = Number(given ?? 6_379);

Reflect.set(globalThis, KEY, async (config: unknown): Promise<void> => {
  try {
    if (!isNamed() && !(await isListening())) await startRedisHere(passwordIn(config));
  } catch (error) {
    if (!(error instanceof LocalRedisError)) throw error;
    say(error.message);
    process.exit(1);
  }
});

async function startRedisHere(password: string | undefined): Promise<void> {
  try {
    await startRedis({ port, ...(password === undefined ? {} : { password }) });
    say(`started on localhost:${port}, for as long as this program runs; it keeps nothing`);
  } catch (error) {
    // Another terminal was quicker: theirs will do.
    if (!(error instanceof LocalRedisError && error.code === "REDIS_PORT_TAKEN")) throw error;
  }
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
