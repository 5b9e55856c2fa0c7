/*
 * Imported in front of a program (`node --import …`): sees to it that there is a Redis where the program will look.
 * Whatever the environment or a flag names is used, else what listens on localhost already, so that programs in
 * several terminals share one; else a server is started that lives as long as the program.
 *
 * It is not a task of its own: a task runner gives the terminal (progress bar, colours) only to a program that runs
 * alone, and a program that stops still needs its Redis until it is done.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { LocalRedisError } from "./local-redis-error.ts";
import { startRedis } from "./start-redis.ts";

const port = Number(variable("REDIS_PORT") ?? 6_379);
const password = variable("REDIS_PASSWORD");

try {
  if (!isNamed() && !isHelp() && !(await isListening())) await startRedisHere();
} catch (error) {
  if (!(error instanceof LocalRedisError)) throw error;
  say(error.message);
  process.exit(1);
}

async function startRedisHere(): Promise<void> {
  try {
    await startRedis({ port, ...(password === undefined ? {} : { password }) });
    say(`started on localhost:${port}, for as long as this program runs; it keeps nothing`);
  } catch (error) {
    // Another terminal was quicker: theirs will do.
    if (!(error instanceof LocalRedisError && error.code === "REDIS_PORT_TAKEN")) throw error;
  }
}

function isNamed(): boolean {
  const flagged = process.argv.some((argument) => /^--redis-(url|host|port)\b/.test(argument));
  return flagged || variable("REDIS_URL") !== undefined || variable("REDIS_HOST") !== undefined;
}

function isHelp(): boolean {
  return process.argv.some((argument) => argument === "--help" || argument === "-h");
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
