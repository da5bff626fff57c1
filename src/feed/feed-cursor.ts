import { decodeSnapshot, encodeSnapshot } from '../postgres/snapshots.js'

/**
 * Where a reader of all sessions of a workspace stands, and how that is written as an event's id.
 *
 * A snapshot (PostgreSQL's pg_snapshot, as its text) says of every transaction whether it had committed: what a reader
 * has been told is what a snapshot shows. The next part is what a later one shows and the first does not, in the order
 * of session and seq; within it a reader stands after one number of one session. No single number would do:
 * transactions commit in another order than they begin, and one that stays open, in any database of the server, must
 * not hold the others up.
 */
export interface FeedCursor {
  since: string
  /** In the middle of a part: where it ends, and the last that was told of it. */
  part?: { until: string; session_id: string; seq: number }
}

/** @param origin names the database: snapshots of another one mean nothing here */
export function encodeFeedCursor(origin: string, cursor: FeedCursor): string {
  return feedCursorEncoder(origin)(cursor)
}

/**
 * For many cursors, of which most have the same snapshots: under load a snapshot lists some forty transactions, and
 * takes 10 µs each time.
 */
export function feedCursorEncoder(origin: string): (cursor: FeedCursor) => string {
  const texts = new Map<string, string>()
  const textOf = (snapshot: string) => {
    let text = texts.get(snapshot)
    if (text === undefined) texts.set(snapshot, (text = encodeSnapshot(snapshot)))
    return text
  }
  return ({ since, part }) => {
    const at = part === undefined ? [] : [textOf(part.until), part.session_id, part.seq.toString(36)]
    return [origin, textOf(since), ...at].join('.')
  }
}

/** @returns undefined for a text that is none of ours, or of another database */
export function decodeFeedCursor(origin: string, text: string): FeedCursor | undefined {
  const [of, first = '', second, session_id = '', number = '', ...more] = text.split('.')
  const since = decodeSnapshot(first)
  if (of !== origin || since === undefined || more.length > 0) return undefined
  if (second === undefined) return { since }
  const until = decodeSnapshot(second)
  const seq = /^[0-9a-z]{1,11}$/.test(number) ? parseInt(number, 36) : NaN
  if (until === undefined || !Number.isSafeInteger(seq) || !/^[\w-]{1,100}$/.test(session_id)) return undefined
  return { since, part: { until, session_id, seq } }
}

/**
 * Below 0 where the first snapshot was taken before the second, of the same server: from one to the next no transaction
 * gets out of sight, so the highest number grows, or fewer are open.
 */
export function compareSnapshots(one: string, other: string): number {
  const [a, b] = [extentOf(one), extentOf(other)]
  return a.highest === b.highest ? b.open - a.open : a.highest < b.highest ? -1 : 1
}

function extentOf(snapshot: string): { highest: bigint; open: number } {
  const [, highest = '', open = ''] = snapshot.split(':')
  return { highest: BigInt(highest), open: open === '' ? 0 : open.split(',').length }
}
