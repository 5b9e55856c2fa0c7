/**
 * The least `maxStreamLength` with the policy `wait`. Redis trims whole nodes of a stream, by default of a hundred entries
 * each: a stream not much longer than that could stay full although every entry was read.
 */
export const SHORTEST_WAITING_LENGTH = 1_000;
