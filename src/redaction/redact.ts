import type { TextArgument } from '../kernel/text-arguments.js'
import { PRIVATE_KEY, SECRET_KINDS } from './kinds.js'
import { privateKeysIn } from './private-keys.js'

/** `report`: what looks like a secret is stored, and its sender warned. `mask`: it is replaced before that. */
export type RedactionMode = 'report' | 'mask'

/** Told of each secret: where it was, and its kind. */
type OnFound = (place: string, kind: { name: string; words: string }) => void

/** What a text with a secret holds: one look at most texts is enough. */
const MAY_HOLD = new RegExp([PRIVATE_KEY, ...SECRET_KINDS].map(({ mark }) => mark).join('|'))
const KINDS = SECRET_KINDS.map(kind => ({ ...kind, mark: new RegExp(kind.mark) }))

/** No secret of any kind is shorter. */
const SHORTEST = 10

function maskOf({ name }: { name: string }): string {
  return `[redacted:${name}]`
}

/** Invisible characters, such as a zero-width space. Between two ASCII characters a text does not need them. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}/u
const HIDING = /(?<=[\t-~])\p{Default_Ignorable_Code_Point}+(?=[\t-~])/gu

/** The text with every secret replaced; the same text if there is none. Its own masks are no secrets. */
function redactText(given: string, place: string, onFound: OnFound): string {
  if (given.length < SHORTEST) return given
  const text = UNSEEN.test(given) ? given.replace(HIDING, '') : given
  if (!MAY_HOLD.test(text)) return given
  let result = text
  const keys = text.includes(PRIVATE_KEY.mark) ? privateKeysIn(text) : []
  if (keys.length > 0) {
    let kept = 0
    result = ''
    for (const [from, to] of keys) {
      onFound(place, PRIVATE_KEY)
      result += text.slice(kept, from) + maskOf(PRIVATE_KEY)
      kept = to
    }
    result += text.slice(kept)
  }
  for (const kind of KINDS) {
    const { mark, patterns, isMeant = () => true } = kind
    if (!mark.test(result)) continue
    for (const pattern of patterns) {
      result = result.replace(pattern, (all, before: string, secret: string, after: string) => {
        if (!isMeant(secret)) return all
        onFound(place, kind)
        return before + maskOf(kind) + after
      })
    }
  }
  return result === text ? given : result
}

/**
 * A value of JSON with every secret replaced, in names of fields too; the same value if there is none. Recursive, since
 * the kernel refuses values that are nested deeply.
 */
function redactValue(value: unknown, place: string, onFound: OnFound): unknown {
  if (typeof value === 'string') return redactText(value, place, onFound)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const all = value.map((inner: unknown) => redactValue(inner, place, onFound))
    return all.some((inner, i) => inner !== value[i]) ? all : value
  }
  const fields = Object.entries(value)
  const redacted = fields.map(
    ([name, inner]) => [redactText(name, place, onFound), redactValue(inner, place, onFound)] as const
  )
  if (redacted.every(([name, inner], i) => name === fields[i]?.[0] && inner === fields[i][1])) return value
  const result = new Map<string, unknown>()
  for (const [name, inner] of redacted) {
    let free = name
    for (let n = 2; result.has(free); n++) free = `${name} ${n}`
    result.set(free, inner)
  }
  // Assigning a field of the name __proto__ would lose it.
  return Object.fromEntries(result)
}

/** The arguments of a call with every secret replaced in those that hold text. */
export function redactArguments(
  input: Record<string, unknown>,
  texts: readonly TextArgument[],
  onFound: OnFound,
  within = ''
): Record<string, unknown> {
  const result = { ...input }
  for (const { name, items } of texts) {
    const value = input[name]
    if (value === undefined) continue
    const place = within === '' ? name : `${within}/${name}`
    result[name] =
      items !== undefined && Array.isArray(value)
        ? value.map((item: Record<string, unknown>, i) => redactArguments(item, items, onFound, `${place}/${i}`))
        : redactValue(value, place, onFound)
  }
  return result
}
