import type { Redact } from '../kernel/text-arguments.js'
import { redactArguments, type RedactionMode } from './redact.js'

/** So many findings are named in the answer to the sender. */
const NAMED_MAX = 5

/** @param onFound counts a secret of that kind */
function createRedactor(mode: RedactionMode, onFound: (kind: string) => void = () => {}): Redact {
  return (input, texts) => {
    if (texts.length === 0) return undefined
    const secrets: Record<string, number> = {}
    /** The sentences that are told, each once. */
    const told = new Set<string>()
    const masked = redactArguments(input, texts, (place, { name, words }) => {
      secrets[name] = (secrets[name] ?? 0) + 1
      told.add(`The argument '${place}' holds what looks like ${words}.`)
      onFound(name)
    })
    if (told.size === 0) return undefined
    const advice =
      mode === 'mask'
        ? 'It was replaced before it was stored. Tell secrets on another way.'
        : 'It was stored as it is. If it is a secret, delete it here and make a new one.'
    const named = [...told].slice(0, NAMED_MAX).map(sentence => `${sentence} ${advice}`)
    const more = told.size - named.length
    return {
      input: mode === 'mask' ? masked : input,
      warnings: more > 0 ? [...named, `The same holds for ${more} more.`] : named,
      audit: { redaction: mode, secrets }
    }
  }
}

/** The same by what the configuration says; undefined if nobody wants to look for secrets. */
export function redactorOf(mode: RedactionMode | 'off', onFound?: (kind: string) => void): Redact | undefined {
  return mode === 'off' ? undefined : createRedactor(mode, onFound)
}
