import { createHash } from 'node:crypto'
import { fitting } from './answer-size.js'
import { AppError } from './errors.js'
import { parseTime } from './time.js'

/**
 * A page of a list, of rows that were read with one more than `limit`: that one only shows that there are more. It is
 * shorter where an answer has no room for all.
 * @param cursorOf the cursor that stands behind a row
 */
export function pageOf<R>(rows: readonly R[], limit: number, cursorOf: (last: R) => string) {
  const page = rows.slice(0, limit)
  const items = page.slice(0, fitting(page))
  const has_more = rows.length > items.length
  return { items, count: items.length, has_more, next_cursor: has_more ? cursorOf(items.at(-1) as R) : null }
}

/** Characters of the check behind a sealed place: 48 bits. */
const CHECK_LENGTH = 8

/**
 * A place in one list, as an opaque text that carries a check. The check covers the list too: the tool, and the
 * arguments that say what is in the list. So a cursor that was cut or changed, or that came from another list, is
 * refused and never skips rows without a word. The check is no secret: a place gives nobody a right.
 */
export function sealCursor(list: readonly unknown[], place: readonly unknown[]): string {
  const text = Buffer.from(JSON.stringify(place)).toString('base64url')
  return `${text}.${checkOf(list, text)}`
}

/**
 * The place in a sealed cursor. It has the values that sealCursor was given only if nobody made the check up too, so
 * the caller checks what goes on to the database.
 * @throws AppError INVALID_INPUT for a cursor that sealCursor did not make for this list
 */
export function openCursor(list: readonly unknown[], cursor: string): readonly unknown[] {
  const [text = '', check, ...more] = cursor.split('.')
  try {
    const place = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown
    if (more.length === 0 && check === checkOf(list, text) && Array.isArray(place)) return place
  } catch {
    // Not ours: told below.
  }
  throw foreignCursor()
}

/** A place that is a time and an id. @throws AppError as openCursor does */
export function timeAndId<K extends 'string' | 'number'>(
  [time, id]: readonly unknown[],
  kind: K
): { time: string; id: K extends 'string' ? string : number } {
  const is_id = kind === 'number' ? Number.isSafeInteger(id) : typeof id === 'string' && !/[\p{Cc}\p{Cs}]/u.test(id)
  if (typeof time === 'string' && parseTime(time) === time && is_id) return { time, id: id as never }
  throw foreignCursor()
}

/** A place that is so many numbers, none below 0. @throws AppError as openCursor does */
export function numbersIn(place: readonly unknown[], count: number): number[] {
  if (place.length === count && place.every(value => Number.isSafeInteger(value) && (value as number) >= 0))
    return place as number[]
  throw foreignCursor()
}

function checkOf(list: readonly unknown[], text: string): string {
  // JSON has no undefined: an argument that was left out is null, which no argument is.
  return createHash('sha256')
    .update(JSON.stringify([...list, text]))
    .digest('base64url')
    .slice(0, CHECK_LENGTH)
}

/** For a cursor that is no next_cursor of the tool. */
export function foreignCursor(): AppError {
  return new AppError('INVALID_INPUT', "The argument 'cursor' is not a next_cursor of this tool.", {
    context: { argument: 'cursor', given: 'another text', allowed: 'next_cursor of an earlier answer' },
    suggestions: [
      'Pass next_cursor of the previous answer unchanged, with the same other arguments',
      'Or leave cursor out to start at the beginning'
    ]
  })
}
