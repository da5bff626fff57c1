/**
 * Defines mentions, for JavaScript and SQL alike: `@agent_id`, case-sensitive, as a whole word. No letter, digit or
 * underscore precedes it (so the address me@worker-1 is no mention), and nothing follows that could continue the id:
 * `@worker-10`, `@worker-1-b` and `@worker-1.5` do not mention worker-1, but `@worker-1.`, `@worker-1: go` and
 * `(@worker-1)` do.
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

/** Punctuation that an id may contain. It ends an id only if no word follows. */
const ID_PUNCTUATION = '.-'

/**
 * A regular expression that matches a mention of the agent, in JavaScript with the flag `u` and in PostgreSQL with `~`.
 */
export function mentionPattern(agent_id: string): string {
  const boundary = characterSet([...SEPARATORS, ...UNSPACED_LETTERS])
  // "@worker-1さん" mentions worker-1, since さん is of another script. But after an id that itself ends in such letters,
  // further ones may belong to a longer id.
  const boundaryAfter = isIn(UNSPACED_LETTERS, [...agent_id].at(-1)?.codePointAt(0) ?? 0)
    ? characterSet(SEPARATORS)
    : boundary
  const before = `(^|[${boundary}${ID_PUNCTUATION}])`
  const after = `($|[${boundaryAfter}]|[${ID_PUNCTUATION}]($|[${boundaryAfter}${ID_PUNCTUATION}]))`
  return `${before}@${escaped(agent_id)}${after}`
}

/** Returns a function that tests whether a content mentions the agent. */
export function mentionsOf(agent_id: string): (content: string) => boolean {
  const pattern = new RegExp(mentionPattern(agent_id), 'u')
  const plain = mentionText(agent_id)
  // The plain search is cheap and rules out most contents.
  return content => content.includes(plain) && pattern.test(content)
}

/** The text that every mention of the agent contains. */
export function mentionText(agent_id: string): string {
  return `@${agent_id}`
}

/** Both engines accept an escape before each of these characters; before others, one of them does not. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function characterSet(ranges: typeof SEPARATORS): string {
  const character = (code: number) => escaped(String.fromCodePoint(code))
  return ranges.map(([from, to]) => (from === to ? character(from) : `${character(from)}-${character(to)}`)).join('')
}

function isIn(ranges: typeof SEPARATORS, code: number): boolean {
  return ranges.some(([from, to]) => code >= from && code <= to)
}
