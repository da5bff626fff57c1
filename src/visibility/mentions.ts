import { composed } from '../kernel/text.js'

/**
 * Defines mentions, for JavaScript and SQL alike (docs/semantics.md, Mentions): `@agent_id` or `＠agent_id`, in the
 * same case, as a whole name. No letter, digit or underscore precedes it (so the address me@worker-1 is no mention),
 * it is in no URL, and nothing follows that could continue the name: `@worker-10`, `@worker-1-b`, `@worker-1/b` and
 * `@worker-1.5` do not mention worker-1, but `@worker-1.`, `@worker-1: go`, `_@worker-1_` and `(@worker-1)` do. Of
 * several names that could be meant the longest one wins that an agent of the workspace has.
 *
 * Both engines use one pattern. It lists its characters, since PostgreSQL's \w depends on the database's locale.
 */

/**
 * Characters that end a word: spaces, punctuation, symbols, emoji. All others count as part of a word.
 */
const SEPARATORS: ReadonlyArray<readonly [from: number, to: number]> = [
  [0x01, 0x2c],
  [0x2f, 0x2f],
  [0x3a, 0x40],
  [0x5b, 0x5e],
  [0x60, 0x60],
  [0x7b, 0xa9],
  [0xab, 0xb4],
  [0xb6, 0xb9],
  [0xbb, 0xbf],
  [0xd7, 0xd7],
  [0xf7, 0xf7],
  [0x37e, 0x37e],
  [0x387, 0x387],
  [0x55a, 0x55f],
  [0x589, 0x58a],
  [0x5be, 0x5be],
  [0x60c, 0x60d],
  [0x61b, 0x61f],
  [0x66a, 0x66d],
  [0x6d4, 0x6d4],
  [0x964, 0x965],
  [0x1361, 0x1368],
  [0x1680, 0x1680],
  [0x2000, 0x206f],
  [0x20a0, 0x20cf],
  [0x2190, 0x2bff],
  [0x2e00, 0x2e7f],
  [0x3000, 0x3004],
  [0x3008, 0x3030],
  [0x303d, 0x303f],
  [0x30fb, 0x30fb],
  [0xfe00, 0xfe1f],
  [0xfe30, 0xfe6f],
  [0xfeff, 0xff0f],
  [0xff1a, 0xff20],
  [0xff3b, 0xff40],
  [0xff5b, 0xff65],
  [0xffe0, 0xffff],
  [0x1f000, 0x1faff],
  [0xe0000, 0xe0fff]
]

/**
 * Letters of scripts that put no space after a name: Thai to Burmese, Khmer, Chinese, Japanese, and Korean, which
 * appends particles.
 */
const UNSPACED_LETTERS: typeof SEPARATORS = [
  [0xe00, 0x109f],
  [0x1100, 0x11ff],
  [0x1780, 0x17ff],
  [0x3005, 0x3007],
  [0x3031, 0x303c],
  [0x3041, 0x30fa],
  [0x30fc, 0x318f],
  [0x31a0, 0x31bf],
  [0x31f0, 0x31ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7ff],
  [0xf900, 0xfaff],
  [0xff66, 0xffdc],
  [0x20000, 0x3ffff]
]

/** Punctuation that a name may contain. It ends a name only if no word follows. */
const NAME_PUNCTUATION = '._/-'

const BOUNDARY = characterSet([...SEPARATORS, ...UNSPACED_LETTERS])
/** Most characters of a URL before a name. Without a bound, a long line of names would take quadratic time. */
const URL_MAX = 200
/**
 * What precedes a name. In a URL, as in x.org/@name, and in a word no name begins; underscores may stand for italics.
 */
const BEFORE = `(^|[${BOUNDARY}.-])_*(?<!://[!-~]{0,${URL_MAX}})(?<![.:][!-?A-~]{0,${URL_MAX}}/)[@＠]`
/** What follows a name. */
const END = BOUNDARY.replace('\\/', '')
const AFTER = `($|[${END}]|[${NAME_PUNCTUATION}]+($|[${END}]))`

/**
 * A regular expression that matches a mention of the agent, in JavaScript with the flag `u` and in PostgreSQL with `~`.
 * @param longer other agents' names that begin with this one
 */
export function mentionPattern(agent_id: string, longer: readonly string[] = []): string {
  const others = longer.length === 0 ? '' : `(?!(${longer.map(escaped).join('|')})${AFTER})`
  return `${BEFORE}${others}(${spellings(agent_id).map(escaped).join('|')})${AFTER}`
}

/**
 * The pattern in two parts, between which SQL puts the longer names that it finds: each followed by a bar, or nothing.
 */
export function mentionPatternParts(agent_id: string): [before: string, after: string] {
  // What nothing matches ends the list.
  return [`${BEFORE}(?!(`, `a^)${AFTER})(${spellings(agent_id).map(escaped).join('|')})${AFTER}`]
}

/** Returns a function that tests whether a content mentions the agent. @param longer as for mentionPattern */
export function mentionsOf(agent_id: string, longer: readonly string[] = []): (content: string) => boolean {
  const pattern = new RegExp(mentionPattern(agent_id, longer), 'u')
  const names = mentionTexts(agent_id)
  // The plain search is cheap and rules out most contents.
  return content => names.some(name => content.includes(name)) && pattern.test(content)
}

/** Texts of which every mention of the agent contains one. */
export function mentionTexts(agent_id: string): string[] {
  return spellings(agent_id).flatMap(name => [`@${name}`, `＠${name}`])
}

/** The ways in which the accents of a name can be typed. */
function spellings(agent_id: string): string[] {
  return [...new Set([agent_id, composed(agent_id), agent_id.normalize('NFD')])]
}

/** Both engines accept an escape before each of these characters; before others, one of them does not. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function characterSet(ranges: typeof SEPARATORS): string {
  const character = (code: number) => escaped(String.fromCodePoint(code))
  return ranges.map(([from, to]) => (from === to ? character(from) : `${character(from)}-${character(to)}`)).join('')
}

const PLACE = new RegExp(BEFORE, 'gu')
const ENDS_HERE = new RegExp(`^${AFTER}`, 'u')
/** The shortest that could be a name, at the beginning of a text. */
const SHORTEST = new RegExp(`^[^]+?(?=${AFTER})`, 'u')
/** What looks like a name, where no agent has it. */
const WORD = new RegExp(`^[^${characterSet(SEPARATORS).replace('\\/', '')}]+`, 'u')

/** A place in a content where a name may begin. */
export interface NamePlace {
  /** What follows the @, in the ways in which its accents can be typed: each begins with the name, if one is meant. */
  texts: string[]
  /** What looks like the name, where no agent has it; empty if nothing does. */
  word: string
}

/**
 * The places in a content where names begin, in their order, at most so many.
 * @param length_max characters of the longest name
 */
export function namePlaces(content: string, places_max: number, length_max: number): NamePlace[] {
  const places: NamePlace[] = []
  for (const { index, 0: before } of content.matchAll(PLACE)) {
    if (places.length === places_max) break
    // Twice the characters, for names with their accents apart; and one more, since it says whether a name ends there.
    const cut = content.slice(index + before.length, index + before.length + 4 * length_max + 2)
    const text = cut.length <= 2 * length_max ? cut : [...cut].slice(0, 2 * length_max + 1).join('')
    const word = (WORD.exec(text)?.[0] ?? '').replace(/[._/-]+$/, '')
    places.push({
      texts: [...new Set([text, composed(text)])],
      word: [...word].slice(0, length_max).join('')
    })
  }
  return places
}

/** The shortest that a name at the beginning of the text can be; undefined if no name can begin there. */
export function shortestName(text: string): string | undefined {
  return SHORTEST.exec(text)?.[0]
}

/** Whether the name stands at the beginning of the text, as a whole. */
export function beginsWithName(text: string, name: string): boolean {
  return text.startsWith(name) && ENDS_HERE.test(text.slice(name.length))
}
