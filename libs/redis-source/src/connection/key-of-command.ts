/** Commands that have no key, or a secret or a script where others have one. */
const WITHOUT_KEY =
  /^(auth|hello|acl|config|client|info|role|ping|select|script|cluster|sentinel|multi|exec)$/;

/**
 * The command that an error reply answers, with its key or channel, such as ` XADD on "clicks"`. The client library
 * attaches the command to the error.
 *
 * @returns "" if the command is unknown, or its arguments may be secrets
 */
export function keyOfCommand(error: unknown): string {
  const command = fieldOf(error, "command");
  const [name, args] = [fieldOf(command, "name"), fieldOf(command, "args")];
  if (typeof name !== "string" || !Array.isArray(args) || WITHOUT_KEY.test(name.toLowerCase())) return "";
  const key: unknown = args[keyIndex(name.toLowerCase(), args)];
  const on = key instanceof Uint8Array || typeof key === "string" ? ` on ${JSON.stringify(String(key))}` : "";
  return ` ${name.toUpperCase()}${on}`;
}

function keyIndex(name: string, args: readonly unknown[]): number {
  switch (name) {
    case "eval":
    case "evalsha":
      // The script or its digest, how many keys there are, the keys.
      return Number(args[1]) === 0 ? -1 : 2;
    case "xinfo":
    case "xgroup":
    case "pubsub":
      return 1;
    case "xread":
      return args.indexOf("STREAMS") + 1;
    default:
      return 0;
  }
}

function fieldOf(object: unknown, name: string): unknown {
  return typeof object === "object" && object !== null ? Reflect.get(object, name) : undefined;
}
