/**
 * Compiles where dist/ is missing or older than the sources, or where it is forced to. Ends the process where that
 * fails.
 */
export function build(options?: { force?: boolean }): void
