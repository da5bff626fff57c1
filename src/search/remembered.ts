import type { Language } from './stems.js'
import type { TermHash } from './term-hash.js'

/**
 * Values that are remembered, of all workspaces and languages together: so many, and as many of the generation before
 * them. On the texts of bench/search, 10 000 were forgotten before they came again, and a message took twice as long.
 */
const GENERATION = 20_000

interface Generation<V> {
  size: number
  by: Map<TermHash, Map<Language, Map<string, V>>>
}

/** What the texts of a workspace in a language are taken apart into, by text. */
export class Remembered<V> {
  private young: Generation<V> = { size: 0, by: new Map() }
  private old: Generation<V> = { size: 0, by: new Map() }

  of(hash: TermHash, language: Language) {
    if (this.young.size >= GENERATION) [this.old, this.young] = [this.young, { size: 0, by: new Map() }]
    const generation = this.young
    const kept = mapIn(generation, hash, language)
    const before = mapIn(this.old, hash, language)
    return {
      /** The value of a text that was remembered. */
      now: (text: string): V | undefined => kept.get(text),
      get(text: string, make: (text: string) => V): V {
        let value = kept.get(text)
        if (value !== undefined) return value
        // What is cut out of a message holds all of it in memory; a copy does not.
        const own = Buffer.from(text).toString()
        kept.set(own, (value = before.get(own) ?? make(own)))
        generation.size++
        return value
      }
    }
  }
}

function mapIn<V>({ by }: Generation<V>, hash: TermHash, language: Language): Map<string, V> {
  let languages = by.get(hash)
  if (languages === undefined) by.set(hash, (languages = new Map<Language, Map<string, V>>()))
  let values = languages.get(language)
  if (values === undefined) languages.set(language, (values = new Map<string, V>()))
  return values
}
