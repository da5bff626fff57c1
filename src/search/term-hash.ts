/**
 * The hash that terms are: HalfSipHash-2-4 (Aumasson and Bernstein), keyed, 64 bits of key to 32 of hash. Without the
 * key nobody can make two words that collide, nor tell that two do: with a hash that all know, an agent could plant a
 * word that collides with one it guesses, and learn from what its searches cost or leave out whether a message that it
 * may not see has it.
 */
export type TermHash = (kind: number, text: string) => number

export const KEY_BYTES = 8

/**
 * @returns a hash as a signed 32-bit integer, which is what an int4 holds: of one byte, the kind of a term, and a text
 * in UTF-8 (half a surrogate pair by itself)
 */
export function termHash(key: Uint8Array): TermHash {
  if (key.length !== KEY_BYTES) throw new Error(`A key has ${KEY_BYTES} bytes.`)
  const view = new DataView(key.buffer, key.byteOffset, KEY_BYTES)
  const k0 = view.getInt32(0, true)
  const k1 = view.getInt32(4, true)

  // The four words of the state are no array, and the round no function: a search index hashes a hundred terms for each
  // message.
  return function hash(kind, text) {
    let v0 = k0
    let v1 = k1
    let v2 = 0x6c796765 ^ k0
    let v3 = 0x74656462 ^ k1
    let word = kind & 0xff
    let bytes = 1
    // What is still to be taken of a letter of several bytes.
    let rest = 0
    let more = 0
    for (let i = 0; i < text.length || more > 0;) {
      let byte: number
      if (more > 0) {
        more--
        byte = 0x80 | ((rest >> (6 * more)) & 0x3f)
      } else {
        byte = text.charCodeAt(i++)
        if (byte > 0x7f) {
          rest = byte
          more = byte < 0x800 ? 1 : 2
          byte = more === 1 ? 0xc0 | (byte >> 6) : 0xe0 | (byte >> 12)
        }
      }
      word |= byte << ((bytes & 3) << 3)
      if ((++bytes & 3) === 0) {
        v3 ^= word
        for (let round = 0; round < 2; round++) {
          v0 = (v0 + v1) | 0
          v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
          v0 = (v0 << 16) | (v0 >>> 16)
          v2 = (v2 + v3) | 0
          v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
          v0 = (v0 + v3) | 0
          v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
          v2 = (v2 + v1) | 0
          v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
          v2 = (v2 << 16) | (v2 >>> 16)
        }
        v0 ^= word
        word = 0
      }
    }
    word |= bytes << 24
    v3 ^= word
    for (let round = 0; round < 6; round++) {
      if (round === 2) {
        v0 ^= word
        v2 ^= 0xff
      }
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    return v1 ^ v3
  }
}
