import { AppError } from './errors.js'
import { parseTime } from './time.js'

/** The place in a list where the next page begins, as an opaque text: [time, id] of the last row that was returned. */
export function encodeCursor(time: string, id: string | number): string {
  return Buffer.from(JSON.stringify([time, id])).toString('base64url')
}

/** @throws AppError INVALID_INPUT for a cursor that did not come from a next_cursor of the same tool */
export function decodeCursor<K extends 'string' | 'number'>(
  cursor: string,
  kind: K
): { time: string; id: K extends 'string' ? string : number } {
  try {
    const [time, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [unknown, unknown]
    // Anybody can make up a cursor: only what the database can compare goes on to it.
    if (
      typeof time === 'string' &&
      parseTime(time) === time &&
      (kind === 'number' ? Number.isSafeInteger(id) : typeof id === 'string' && !/[\p{Cc}\p{Cs}]/u.test(id))
    ) {
      return { time, id: id as never }
    }
  } catch {
    // Not ours: told below.
  }
  throw foreignCursor()
}

/**
 * A page of a list, of rows that were read with one more than `limit`: that one only shows that there are more.
 * @param cursorOf the cursor that stands behind a row
 */
export function pageOf<R>(rows: readonly R[], limit: number, cursorOf: (last: R) => string) {
  const items = rows.slice(0, limit)
  const has_more = rows.length > limit
  return { items, count: items.length, has_more, next_cursor: has_more ? cursorOf(items.at(-1) as R) : null }
}

/** A place that is two numbers, as an opaque text. */
export function encodeNumbers(first: number, second: number): string {
  return Buffer.from(JSON.stringify([first, second])).toString('base64url')
}

/** @throws AppError INVALID_INPUT for a cursor that did not come from a next_cursor of the same tool */
export function decodeNumbers(cursor: string): [number, number] {
  try {
    const numbers = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown
    if (Array.isArray(numbers) && numbers.length === 2 && numbers.every(Number.isSafeInteger))
      return numbers as [number, number]
  } catch {
    // Not ours: told below.
  }
  throw foreignCursor()
}

/** For a cursor that is no next_cursor of the tool. */
export function foreignCursor(): AppError {
  return new AppError('INVALID_INPUT', "The argument 'cursor' is not a next_cursor of this tool.", {
    context: { argument: 'cursor', given: 'another text', allowed: 'next_cursor of an earlier answer' },
    suggestions: ['Pass next_cursor of the previous answer unchanged, or leave cursor out to start at the beginning']
  })
}
