import { type RawBuilder, sql } from 'kysely'
import { likePattern } from './like.js'

/**
 * Letters beyond ASCII, in every locale alike. With LC_CTYPE C, the default of several operators, PostgreSQL does not
 * lower them, and pg_trgm takes them for no letters. So SQL replaces each letter of the phrase beyond ASCII by an ASCII
 * letter of its own, and lowers them by a list.
 */
export interface Letters {
  phrase: string
  /** The phrase in letters of ASCII. */
  told: string
  /** The phrase's letters beyond ASCII in both cases; what each is told as; and each in lower case. */
  letters: string
  told_as: string
  lowered: string
  /** A letter that stands for no letter of the phrase. */
  spare: string
}

/** @param phrase in lower case */
export function lettersOf({ phrase }: { phrase: string }): Letters {
  const own = [...new Set(phrase.replace(/[\x00-\x7f]/g, ''))]
  const told = (given: string) =>
    given.replace(/[^\x00-\x7f]/gu, letter => STAND_INS.charAt(own.indexOf(letter) % STAND_INS.length))
  const cases = own.flatMap(letter =>
    [letter, letter.toUpperCase(), ...(letter === 'σ' ? ['ς'] : [])]
      .filter(one => [...one].length === 1)
      .map(one => ({ one, told_as: told(letter), letter }))
  )
  const in_letters = told(phrase)
  return {
    phrase,
    told: in_letters,
    letters: cases.map(({ one }) => one).join(''),
    told_as: cases.map(of => of.told_as).join(''),
    lowered: cases.map(({ letter }) => letter).join(''),
    spare: [...STAND_INS].find(letter => !in_letters.includes(letter)) ?? '0'
  }
}
const STAND_INS = 'qxzjkvwybhgpmfucdlnrsitaoe0123456789'

/**
 * Whether the database's locale lowers letters beyond ASCII and pg_trgm takes them for letters. PostgreSQL computes it
 * when it plans, and drops what is not needed.
 */
const KNOWS_LETTERS = sql<boolean>`('Ж' ilike 'ж' and word_similarity('ЖАР', 'жар') = 1)`

/** Either of two ways to ask the same: `plain` where the locale knows letters, `told` where it does not. */
function either(plain: RawBuilder<boolean>, told: RawBuilder<boolean>): RawBuilder<boolean> {
  return sql<boolean>`((${KNOWS_LETTERS} and ${plain}) or (not ${KNOWS_LETTERS} and ${told}))`
}

const isAscii = (text: RawBuilder<unknown>) => sql<boolean>`octet_length(${text}) = length(${text})`

/** Whether a text holds what is looked for, in any case. Where the locale knows letters, it is an `ilike`. */
export function holdsText(text: RawBuilder<unknown>, wanted: string): RawBuilder<boolean> {
  const { phrase, letters, lowered } = lettersOf({ phrase: wanted.toLowerCase() })
  return either(
    sql`${text} ilike ${likePattern(wanted)}`,
    sql`strpos(lower(translate(${text}, ${letters}, ${lowered}) collate "C"), ${phrase}) > 0`
  )
}

/** Characters beyond ASCII that part words: punctuation, symbols, emoji. */
const SEPARATOR = `[${[
  String.raw`\u0080-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7`,
  String.raw`\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u3000-\u3004\u3008-\u3020\u3030`,
  String.raw`\ufe30-\ufe6f\uff01-\uff0f\uff1a-\uff20\uffe0-\uffff\U0001f000-\U0001faff`
].join('')}]`

/** Whether what is looked for is similar to some part of a text: pg_trgm's `<%`, which an index serves. */
export function resemblesText(text: RawBuilder<unknown>, wanted: string): RawBuilder<boolean> {
  const { told, letters, told_as, spare } = lettersOf({ phrase: wanted.toLowerCase() })
  const in_letters = sql`regexp_replace(
    regexp_replace(translate(${text}, ${letters}, ${told_as}), ${SEPARATOR}::text, ' ', 'g'),
    '[^\\x01-\\x7f]', ${spare}::text, 'g')`
  return either(
    sql`${wanted} <% ${text}`,
    sql`word_similarity(${told}, case when ${isAscii(text)} then ${text} else ${in_letters} end) >= 0.6`
  )
}
