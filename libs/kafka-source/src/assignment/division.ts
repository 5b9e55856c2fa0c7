/** What a member says of itself whenever the group is formed anew. Partitions are by their numbers. */
export interface Claim {
  /** It has them, and would keep them. */
  readonly keeps: readonly number[];
  /** It has them, and is closing them, since it is to give them up. */
  readonly closes: readonly number[];
  /** It gives up all partitions, and gets no more. */
  readonly leaves: boolean;
}

/**
 * Divides the partitions of a topic evenly among the members of its group, so that none moves that need not. A partition that
 * a member still has goes to no other one: it first closes it, and the group is then formed anew.
 *
 * @returns what each member is to have now
 */
export function divide(
  claims: ReadonlyMap<string, Claim>,
  partitions: number,
): ReadonlyMap<string, readonly number[]> {
  const free = new Set(Array.from({ length: partitions }, (_, partition) => partition));
  for (const { closes } of claims.values()) for (const partition of closes) free.delete(partition);
  const members = Array.from(claims, ([member, { keeps, leaves }]) => {
    // Of two that have the same one, the second gives it up.
    const has = keeps.filter((partition) => free.delete(partition));
    return { member, leaves, has };
  });
  const sharers = members.filter(({ leaves }) => !leaves);
  // Who has the most keeps the extra one.
  sharers.sort((a, b) => b.has.length - a.has.length || (a.member < b.member ? -1 : 1));
  const least = Math.floor(partitions / sharers.length);
  const withOneMore = partitions % sharers.length;
  const shares = new Map(members.map(({ member }): [string, readonly number[]] => [member, []]));
  const unused = [...free];
  for (const [index, { member, has }] of [...sharers.entries()].reverse()) {
    const atMost = least + (index < withOneMore ? 1 : 0);
    const kept = has.slice(0, atMost);
    shares.set(member, [...kept, ...unused.splice(0, atMost - kept.length)]);
  }
  return shares;
}

/* Both texts have the form of Kafka's own consumers, so that Kafka's tools show which member has which partition. */

/** @returns what a member sends when it joins */
export function encodeClaim(topic: string, claim: Claim): Buffer {
  return Buffer.concat([VERSION, int32(1), text(topic), bytes(JSON.stringify(claim))]);
}

/** The name of the protocol says that a worker of the same kind has written it. */
export function decodeClaim(metadata: Buffer): Claim {
  return JSON.parse(metadata.toString("utf8", afterTopic(metadata) + 4)) as Claim;
}

/** @returns what the leader sends for a member */
export function encodeShare(topic: string, partitions: readonly number[]): Buffer {
  const numbers = partitions.map(int32);
  return Buffer.concat([VERSION, int32(1), text(topic), int32(numbers.length), ...numbers, NO_BYTES]);
}

/**
 * @param assignment of any consumer, which may have partitions of several topics
 * @returns partitions of this topic; none for a member that the leader does not know
 */
export function decodeShare(topic: string, assignment: Buffer): readonly number[] {
  const partitions: number[] = [];
  if (assignment.length === 0) return partitions;
  let at = 6;
  for (let topics = assignment.readInt32BE(2); topics > 0; topics -= 1) {
    const length = assignment.readInt16BE(at);
    const name = assignment.toString("utf8", at + 2, at + 2 + length);
    at += 2 + length;
    const count = assignment.readInt32BE(at);
    at += 4;
    for (const end = at + 4 * count; at < end; at += 4) {
      if (name === topic) partitions.push(assignment.readInt32BE(at));
    }
  }
  return partitions;
}

const VERSION = Buffer.alloc(2);
const NO_BYTES = int32(-1);

/** After the version, and a list of one topic. */
function afterTopic(encoded: Buffer): number {
  return 8 + encoded.readInt16BE(6);
}

function int32(value: number): Buffer {
  const encoded = Buffer.alloc(4);
  encoded.writeInt32BE(value);
  return encoded;
}

function text(value: string): Buffer {
  const encoded = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(encoded.length);
  return Buffer.concat([length, encoded]);
}

function bytes(value: string): Buffer {
  const encoded = Buffer.from(value);
  return Buffer.concat([int32(encoded.length), encoded]);
}
