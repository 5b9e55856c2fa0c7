/**
 * How many connections a flow with a source takes in one process, as a clause for the message when Redis accepts no
 * more. A stream partition has one on which its reads wait; all commands go over another, or over one for each stream on
 * a cluster.
 *
 * @param what each partition is
 */
export function readingNeeds(what: "stream" | "channel", partitions: number, cluster: boolean): string {
  const commands = cluster ? partitions : 1;
  const count = what === "channel" ? partitions : partitions + commands;
  return (
    `reading ${partitions} ${plural(what, partitions)} takes ${count} ${plural("connection", count)}; a store in the same ` +
    `Redis takes ${cluster ? partitions : 1} more, and a sink that publishes 1 for each of its channels or streams`
  );
}

function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`;
}
