/**
 * Likeness by insertions and deletions alone, 0–100: 100 · 2 · LCS / (length of both). The longest common subsequence
 * is counted bit by bit, 32 letters of the pattern at a time (Hyyrö 2004).
 */
export interface Pattern {
  length: number
  /** Per letter, where it stands in the pattern. */
  masks: Map<number, Uint32Array>
  blocks: number
}

export function pattern(text: string): Pattern {
  const blocks = Math.max(1, Math.ceil(text.length / 32))
  const masks = new Map<number, Uint32Array>()
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    let mask = masks.get(code)
    if (mask === undefined) masks.set(code, (mask = new Uint32Array(blocks)))
    mask[i >>> 5] = (mask[i >>> 5] as number) | (1 << (i & 31))
  }
  return { length: text.length, masks, blocks }
}

/** One for all calls: a partial ratio makes one for every letter of the text. */
const scratch = new Uint32Array(64)

/** Of the pattern and text[from, to). */
function commonSubsequence({ masks, blocks, length }: Pattern, text: string, from: number, to: number): number {
  if (length === 0) return 0
  const state =
    blocks <= scratch.length ? scratch.fill(0xffffffff, 0, blocks) : new Uint32Array(blocks).fill(0xffffffff)
  for (let i = from; i < to; i++) {
    const mask = masks.get(text.charCodeAt(i))
    if (mask === undefined) continue
    let carry = 0
    for (let block = 0; block < blocks; block++) {
      const s = state[block] as number
      const u = (s & (mask[block] as number)) >>> 0
      const sum = s + u + carry
      carry = sum > 0xffffffff ? 1 : 0
      state[block] = ((sum >>> 0) | ((s - u) >>> 0)) >>> 0
    }
  }
  let count = 0
  for (let block = 0; block < blocks; block++) {
    const used = Math.min(32, length - block * 32)
    const inUse = used === 32 ? 0xffffffff : (1 << used) - 1
    for (let rest = ~(state[block] as number) & inUse; rest !== 0; rest &= rest - 1) count++
  }
  return count
}

export function ratio(p: Pattern, text: string, from = 0, to = text.length): number {
  const both = p.length + to - from
  return both === 0 ? 100 : (200 * commonSubsequence(p, text, from, to)) / both
}
