/** How much the messages beside one count for it, and how much its length: 0 is not at all. */
export const BESIDE = 0.45
const LENGTH = 0.3

/** What the share of a query that a message holds is divided by. @param length 1 is the mean of what was found */
export function lengthened(length: number): number {
  return 1 - LENGTH + LENGTH * length
}
