/**
 * What a mention is, once for JavaScript and SQL: `@agent_id` as it is written, case included, where it stands alone. Before it is no
 * letter, digit or underscore (so that the address me@worker-1 is none); after it is nothing that would continue the id:
 * `@worker-1` is not in `@worker-10`, `@worker-1-b` or `@worker-1.5`, but is in `@worker-1.`, `@worker-1: go` and `(@worker-1)`.
 *
 * One pattern serves both engines. It spells its characters out, since PostgreSQL's \w depends on the database's locale.
 */

/** Neither letter, digit nor underscore: space, punctuation, symbols, emoji. Everything else counts as part of a word. */
const BREAKS: ReadonlyArray<readonly [from: number, to: number]> = [
  [0x01, 0x2C], [0x2F, 0x2F], [0x3A, 0x40], [0x5B, 0x5E], [0x60, 0x60], [0x7B, 0xA9], [0xAB, 0xB4], [0xB6, 0xB9], [0xBB, 0xBF], [0xD7, 0xD7], [0xF7, 0xF7],
  [0x37E, 0x37E], [0x387, 0x387], [0x55A, 0x55F], [0x589, 0x58A], [0x5BE, 0x5BE], [0x60C, 0x60D], [0x61B, 0x61F], [0x66A, 0x66D], [0x6D4, 0x6D4],
  [0x964, 0x965], [0x1361, 0x1368], [0x1680, 0x1680], [0x2000, 0x206F], [0x20A0, 0x20CF], [0x2190, 0x2BFF], [0x2E00, 0x2E7F], [0x3000, 0x3004],
  [0x3008, 0x3030], [0x303D, 0x303F], [0x30FB, 0x30FB], [0xFE00, 0xFE1F], [0xFE30, 0xFE6F], [0xFEFF, 0xFF0F], [0xFF1A, 0xFF20], [0xFF3B, 0xFF40],
  [0xFF5B, 0xFF65], [0xFFE0, 0xFFFF], [0x1F000, 0x1FAFF], [0xE0000, 0xE0FFF]
]

/** Letters that follow a name without a space: Thai to Burmese, Khmer, Chinese, Japanese, and Korean with its particles. */
const RUNNING: typeof BREAKS = [
  [0xE00, 0x109F], [0x1100, 0x11FF], [0x1780, 0x17FF], [0x3005, 0x3007], [0x3031, 0x303C], [0x3041, 0x30FA], [0x30FC, 0x318F], [0x31A0, 0x31BF],
  [0x31F0, 0x31FF], [0x3400, 0x4DBF], [0x4E00, 0x9FFF], [0xAC00, 0xD7FF], [0xF900, 0xFAFF], [0xFF66, 0xFFDC], [0x20000, 0x3FFFF]
]

/** May stand inside an id, so that they end one only where no word follows them. */
const INSIDE = '.-'

/** A regular expression that finds a mention of the agent: for JavaScript with the flag `u`, for PostgreSQL's `~` as a parameter. */
export function mentionPattern (agent_id: string): string {
  const alone = characterSet([...BREAKS, ...RUNNING])
  // "@worker-1さん" calls worker-1, for its letters are of another kind; after an id that ends in such letters they may be more of it.
  const ending = isIn(RUNNING, [...agent_id].at(-1)?.codePointAt(0) ?? 0) ? characterSet(BREAKS) : alone
  return `(^|[${alone}${INSIDE}])@${escaped(agent_id)}($|[${ending}]|[${INSIDE}]($|[${ending}${INSIDE}]))`
}

/** @returns a test of contents for mentions of the agent */
export function mentionsOf (agent_id: string): (content: string) => boolean {
  const pattern = new RegExp(mentionPattern(agent_id), 'u')
  const plain = mentionText(agent_id)
  // The plain search first: of the many contents that have no such text, it is done at once.
  return content => content.includes(plain) && pattern.test(content)
}

/** What every content that mentions the agent contains. */
export function mentionText (agent_id: string): string {
  return `@${agent_id}`
}

/** All of these mean themselves when escaped, in both engines; other characters may not be escaped in one of them. */
function escaped (text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function characterSet (ranges: typeof BREAKS): string {
  const one = (code: number) => escaped(String.fromCodePoint(code))
  return ranges.map(([from, to]) => from === to ? one(from) : `${one(from)}-${one(to)}`).join('')
}

function isIn (ranges: typeof BREAKS, code: number): boolean {
  return ranges.some(([from, to]) => code >= from && code <= to)
}
