/**
 * How many connections a source takes, as a clause for the message when Redis accepts no more.
 *
 * @param what each partition is
 * @param connections that the source itself holds
 */
export function readingNeeds(what: "stream" | "channel", partitions: number, connections: number): string {
  const one = partitions === 1;
  return (
    `reading ${partitions} ${what}${one ? "" : "s"} takes ${connections} connection${connections === 1 ? "" : "s"}, and ` +
    `${one ? "one" : partitions} more where the flow has a store in Redis`
  );
}
