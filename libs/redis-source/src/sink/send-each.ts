import { Writable } from "node:stream";
import { Command } from "ioredis";
import type { Redis } from "ioredis";

/**
 * Sends a command for each of the messages, which is its last argument: in order, and at once.
 *
 * @param command the name, and the arguments before the message
 * @returns the reply to each, or the error in its place
 */
export async function sendEach(
  client: Redis,
  command: readonly [name: string, ...args: string[]],
  messages: readonly (string | Buffer)[],
): Promise<readonly unknown[]> {
  if (!areBytes(messages)) {
    const pipeline = client.pipeline();
    for (const message of messages) pipeline.call(...command, message);
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([failure, reply]) => failure ?? reply);
  }
  const head = headOf(command);
  // Everything that is written until then goes to the socket in one piece.
  client.stream.cork();
  const replies = messages.map((bytes) => client.sendCommand(new BytesCommand(command, head, bytes)));
  client.stream.uncork();
  return Promise.all(replies.map((reply) => Promise.resolve(reply).catch(asError)));
}

function areBytes(messages: readonly (string | Buffer)[]): messages is readonly Buffer[] {
  return messages.every((message) => typeof message !== "string");
}

/** The start of a command with one more argument, in the protocol of Redis. */
function headOf(command: readonly string[]): string {
  const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return `*${command.length + 1}\r\n${parts.join("")}`;
}

/**
 * A command whose last argument goes to the socket from where it is. The client library would copy bytes twice: into those
 * of the command, and these into those of a pipeline.
 */
class BytesCommand extends Command {
  readonly #head: string;
  readonly #bytes: Buffer;

  constructor([name, ...args]: readonly [string, ...string[]], head: string, bytes: Buffer) {
    super(name, [...args, bytes]);
    this.#head = head;
    this.#bytes = bytes;
  }

  /** The library writes what is returned after what is written here. */
  override toWritable(socket: object): string | Buffer {
    if (!(socket instanceof Writable)) return super.toWritable(socket);
    socket.write(`${this.#head}$${this.#bytes.length}\r\n`);
    socket.write(this.#bytes);
    return "\r\n";
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
