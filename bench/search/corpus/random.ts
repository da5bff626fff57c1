/** Numbers that look random and are the same on every machine: all of a corpus comes from its seed. */
export interface Random {
  /** 0 ≤ x < 1 */
  next: () => number
  /** A whole number from `from` to `to`, both included. */
  int: (from: number, to: number) => number
  chance: (probability: number) => boolean
  pick: <T>(items: readonly T[]) => T
  /** As a word list is used in life: the first items often, the last seldom (Zipf–Mandelbrot). */
  zipf: <T>(items: readonly T[]) => T
  shuffle: <T>(items: readonly T[]) => T[]
}

/** How many of the first items share the top: without it the very first word would be in every other sentence. */
const ZIPF_SHIFT = 12

export function random(seed: string): Random {
  let [a, b, c, d] = hash128(seed)
  // sfc32
  const next = () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + t) | 0
    return (t >>> 0) / 4294967296
  }
  for (let i = 0; i < 12; i++) next()
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const at = <T>(items: readonly T[], i: number) => items[Math.min(i, items.length - 1)] as T
  return {
    next,
    int,
    chance: probability => next() < probability,
    pick: items => at(items, Math.floor(next() * items.length)),
    zipf: items => at(items, Math.floor(zipfRank(next(), items.length))),
    shuffle(items) {
      const copy = [...items]
      for (let i = copy.length - 1; i > 0; i--) {
        const j = int(0, i)
        const swapped = copy[i] as (typeof copy)[number]
        copy[i] = copy[j] as (typeof copy)[number]
        copy[j] = swapped
      }
      return copy
    }
  }
}

/** The rank below which a share `u` of all uses lies. */
function zipfRank(u: number, length: number): number {
  return ZIPF_SHIFT * (Math.pow((length + ZIPF_SHIFT) / ZIPF_SHIFT, u) - 1)
}

function hash128(text: string): [number, number, number, number] {
  let h1 = 1779033703,
    h2 = 3144134277,
    h3 = 1013904242,
    h4 = 2773480762
  for (let i = 0; i < text.length; i++) {
    const k = text.charCodeAt(i)
    h1 = h2 ^ Math.imul(h1 ^ k, 597399067)
    h2 = h3 ^ Math.imul(h2 ^ k, 2869860233)
    h3 = h4 ^ Math.imul(h3 ^ k, 951274213)
    h4 = h1 ^ Math.imul(h4 ^ k, 2716044179)
  }
  h1 = Math.imul(h3 ^ (h1 >>> 18), 597399067)
  h2 = Math.imul(h4 ^ (h2 >>> 22), 2869860233)
  h3 = Math.imul(h1 ^ (h3 >>> 17), 951274213)
  h4 = Math.imul(h2 ^ (h4 >>> 19), 2716044179)
  return [h1 ^ h2 ^ h3 ^ h4, h2 ^ h1, h3 ^ h1, h4 ^ h1]
}
