/**
 * What a mention is, once for JavaScript and SQL: `@agent_id` as it is written, case included, where it stands alone.
 * Before it is no letter, digit or underscore (so that the address me@worker-1 is none); after it is nothing that would
 * continue the id:
 * `@worker-1` is not in `@worker-10`, `@worker-1-b` or `@worker-1.5`, but is in `@worker-1.`, `@worker-1: go` and
 * `(@worker-1)`.
 *
 * One pattern serves both engines. It spells its characters out, since PostgreSQL's \w depends on the database's
 * locale.
 */

/**
 * Neither letter, digit nor underscore: space, punctuation, symbols, emoji. Everything else counts as part of a word.
 */
const BREAKS: ReadonlyArray<readonly [from: number, to: number]> = [
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
 * Letters that follow a name without a space: Thai to Burmese, Khmer, Chinese, Japanese, and Korean with its particles.
 */
const RUNNING: typeof BREAKS = [
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

/** May stand inside an id, so that they end one only where no word follows them. */
const INSIDE = '.-'

/**
 * A regular expression that finds a mention of the agent: for JavaScript with the flag `u`, for PostgreSQL's `~` as a
 * parameter.
 */
export function mentionPattern(agent_id: string): string {
  const alone = characterSet([...BREAKS, ...RUNNING])
  // "@worker-1さん" calls worker-1, for its letters are of another kind; after an id that ends in such letters they may
  // be more of it.
  const ending = isIn(RUNNING, [...agent_id].at(-1)?.codePointAt(0) ?? 0) ? characterSet(BREAKS) : alone
  return `(^|[${alone}${INSIDE}])@${escaped(agent_id)}($|[${ending}]|[${INSIDE}]($|[${ending}${INSIDE}]))`
}

/** @returns a test of contents for mentions of the agent */
export function mentionsOf(agent_id: string): (content: string) => boolean {
  const pattern = new RegExp(mentionPattern(agent_id), 'u')
  const plain = mentionText(agent_id)
  // The plain search first: of the many contents that have no such text, it is done at once.
  return content => content.includes(plain) && pattern.test(content)
}

/** What every content that mentions the agent contains. */
export function mentionText(agent_id: string): string {
  return `@${agent_id}`
}

/** All of these mean themselves when escaped, in both engines; other characters may not be escaped in one of them. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function characterSet(ranges: typeof BREAKS): string {
  const one = (code: number) => escaped(String.fromCodePoint(code))
  return ranges.map(([from, to]) => (from === to ? one(from) : `${one(from)}-${one(to)}`)).join('')
}

function isIn(ranges: typeof BREAKS, code: number): boolean {
  return ranges.some(([from, to]) => code >= from && code <= to)
}
