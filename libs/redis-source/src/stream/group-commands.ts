import type { Redis } from "ioredis";
import { BEFORE_ALL } from "./entry-id.ts";
import type { Place } from "./place.ts";
import { fieldsOf, listOf, numberOf, textOf } from "./stream-commands.ts";

/** How far a consumer group is. */
export interface GroupProgress {
  readonly name: string;
  /** All up to here is done: nothing before it is wanted any more. */
  readonly doneUpTo: string;
}

/** All consumer groups of a stream. */
export async function readGroups(client: Redis, stream: string): Promise<readonly GroupProgress[]> {
  const groups = listOf(await client.xinfo("GROUPS", stream)).map(fieldsOf);
  return Promise.all(
    groups.map(async (group) => {
      const name = textOf(group.get("name"));
      const delivered = textOf(group.get("last-delivered-id"));
      const pending = numberOf(group.get("pending"));
      return {
        name,
        doneUpTo: pending === 0 ? delivered : await firstPending(client, stream, name, delivered),
      };
    }),
  );
}

/** Shows a place as the progress of a consumer group, which is made where there is none. */
export async function showProgress(
  client: Redis,
  stream: string,
  group: string,
  place: Place,
): Promise<void> {
  try {
    await client.call("XGROUP", "SETID", stream, group, place.id, ...entriesRead(place));
  } catch (error) {
    if (!isAbsence(error)) throw error;
    await createGroup(client, stream, group, place);
  }
}

/** Makes a consumer group that has read up to a place, and the stream with it; one that exists stays as it is. */
export async function createGroup(client: Redis, stream: string, group: string, place: Place): Promise<void> {
  try {
    await client.call("XGROUP", "CREATE", stream, group, place.id, "MKSTREAM", ...entriesRead(place));
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("BUSYGROUP")) throw error;
  }
}

/** Whole nodes of the stream go, which is cheap; some entries below `id` may stay. @returns how many went */
export async function trimBelow(client: Redis, stream: string, id: string, limit: number): Promise<number> {
  return client.xtrim(stream, "MINID", "~", id, "LIMIT", limit);
}

/** What is delivered and not acknowledged may be wanted again. */
async function firstPending(
  client: Redis,
  stream: string,
  group: string,
  delivered: string,
): Promise<string> {
  const [, first] = await client.xpending(stream, group);
  return first === null || first === undefined ? delivered : textOf(first);
}

/** Without the number Redis estimates it where it can, and shows no lag where it cannot. */
function entriesRead({ id, entries }: Place): readonly (string | number)[] {
  if (entries !== null) return ["ENTRIESREAD", entries];
  return id === BEFORE_ALL ? ["ENTRIESREAD", 0] : [];
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && /^NOGROUP|requires the key to exist/.test(error.message);
}
