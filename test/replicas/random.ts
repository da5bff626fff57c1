/** Chance that can be had again: SEED in the environment, else a new one, which the test prints. */
export interface Random {
  seed: number
  /** At least `from`, below `to`. */
  between: (from: number, to: number) => number
  /** True so often, of 1. */
  chance: (share: number) => boolean
  pick: <T>(of: readonly T[]) => T
  /** Another of its own, so that what one does is not moved by what another has drawn. */
  fork: () => Random
}

export function seedOf(env: Record<string, string | undefined> = process.env): number {
  return env.SEED === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(env.SEED) >>> 0
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    // A 32-bit Weyl sequence, mixed: plenty for choosing what to do next.
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
  const between = (from: number, to: number) => Math.floor(from + next() * (to - from))
  return {
    seed,
    between,
    chance: share => next() < share,
    pick: of => of[between(0, of.length)] as never,
    fork: () => createRandom(between(0, 2 ** 32))
  }
}
