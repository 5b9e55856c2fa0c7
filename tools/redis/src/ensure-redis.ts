/*
 * Preloaded before a program (`node --import …`): makes sure that the program finds a Redis. It uses the Redis that the
 * environment or a flag names, or else the one that already listens on localhost, so that programs in several terminals
 * share one and know its owner; or else it starts a server that ends with the program. The program calls it after it
 * has read its options: nothing is started for a program with invalid options, nor for one whose configuration says so
 * (`startsRedis: false`), since a new Redis has nothing to look at.
 *
 * It is not a separate task: a task runner gives the terminal (progress bar, colours) only to a program that runs
 * alone, and a program that stops needs its Redis until it is done.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { LocalRedisError } from "./local-redis-error.ts";
import { onGone, ownerOf } from "./owner.ts";
import { startRedis } from "./start-redis.ts";

/** Programs call the function under this symbol after they have read their options. */
const KEY = Symbol.for("millrace.before-program");

const given = variable("REDIS_PORT");
const port = Number(given ?? 6_379);

Reflect.set(globalThis, KEY, async (config: unknown, stop?: AbortSignal): Promise<void> => {
  try {
    // A program whose options name no Redis, such as one that prints a graph, needs none.
    if (fieldOf(config, "redis") === undefined || isNamed()) return;
    const password = passwordIn(config);
    if (!(await isListening())) {
      // A program that looks at what a Redis keeps reports itself that there is none.
      if (fieldOf(config, "startsRedis") === false || (await startRedisHere(password))) return;
    }
    await shareRedis(password, stop);
  } catch (error) {
    if (!(error instanceof LocalRedisError)) throw error;
    say(error.message);
    process.exit(1);
  }
});

/** @returns whether this program started the Redis */
async function startRedisHere(password: string | undefined): Promise<boolean> {
  try {
    await startRedis({ port, ...(password === undefined ? {} : { password }) });
    say(`started on localhost:${port}, until this program ends; it writes nothing to disk`);
    return true;
  } catch (error) {
    // A program in another terminal has just started one: use that.
    if (!(error instanceof LocalRedisError && error.code === "REDIS_PORT_TAKEN")) throw error;
    return false;
  }
}

/** Logs whose Redis is used, and that it is gone: another program's Redis ends with that program, this program continues. */
async function shareRedis(password: string | undefined, stop: AbortSignal | undefined): Promise<void> {
  const address = { host: "localhost", port, password };
  const owner = await ownerOf(address);
  if (owner === undefined) return;
  say(`using the one on localhost:${port} that ${owner} has started; it ends with that program`);
  void onGone(address, () => {
    if (stop?.aborted === true) return;
    say(
      `the one on localhost:${port} was started by ${owner} and has ended with it; waiting for another one there`,
    );
  });
}

function isNamed(): boolean {
  const flagged = process.argv.some((argument) => /^--redis-(url|host|port|sentinels)\b/.test(argument));
  const named = ["REDIS_URL", "REDIS_HOST", "REDIS_SENTINELS"].some((name) => variable(name) !== undefined);
  // A port may come as an address: Kubernetes sets REDIS_PORT=tcp://10.96.0.11:6379.
  return flagged || named || (given !== undefined && !/^\d+$/.test(given));
}

/** The password that the program will use, from its variable or from a file. */
function passwordIn(config: unknown): string | undefined {
  const password = fieldOf(fieldOf(config, "redis"), "password");
  return typeof password === "string" ? password : undefined;
}

function fieldOf(object: unknown, name: string): unknown {
  return typeof object === "object" && object !== null ? Reflect.get(object, name) : undefined;
}

/** Whether anything listens. If it is not a Redis, the program itself reports that. */
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

/** An empty variable counts as not set. */
function variable(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}

function say(sentence: string): void {
  process.stderr.write(`redis: ${sentence}\n`);
}
