import type pg from 'pg'
import type { Test } from 'tap'
import type { Identity } from './agent.js'

/**
 * What is in the database in the end, and what follows from it for who should have been told what: reckoned without the
 * service's own code.
 */

interface Written {
  id: number
  session_id: string
  seq: number
  sender: string
  sender_type: string
  visibility: string
  content: string
}
interface Moved {
  session_id: string
  seq: number
  message_id: number | null
  from_visibility: string | null
  to_visibility: string | null
}

export interface Ledger {
  messages: Written[]
  /** Numbers that are missing or there twice, by session. */
  gaps: () => string[]
  /** What this agent may have been told of a session, in the order it must have been. */
  due: (viewer: Identity, session_id: string) => Due[]
  find: (content: string) => Written[]
}

export interface Due {
  id: number
  /** Where it became visible to the viewer. */
  seq: number
  /** Where it was taken back: whoever was quick has been told of it, and nobody else. */
  hidden_at: number | undefined
}

export async function readLedger(client: pg.Client): Promise<Ledger> {
  const { rows: messages } = await client.query<Written>(
    'select id::int, session_id, seq::int, sender, sender_type, visibility, content from ' +
      'messages order by session_id, seq'
  )
  const { rows: moves } = await client.query<Moved>(
    'select session_id, seq::int, message_id::int, from_visibility, to_visibility from ' +
      'session_changes order by session_id, seq'
  )
  const { rows: sessions } = await client.query<{ id: string; last_seq: number }>(
    'select id, last_seq::int from sessions'
  )
  const byContent = group(messages, ({ content }) => content)
  const movesOf = group(moves, ({ message_id }) => message_id)
  return {
    messages,
    gaps: () =>
      sessions.flatMap(({ id, last_seq }) => {
        const numbers = [...messages, ...moves]
          .filter(({ session_id }) => session_id === id)
          .map(({ seq }) => seq)
          .sort((a, b) => a - b)
        const right = numbers.length === last_seq && numbers.every((seq, i) => seq === i + 1)
        return right ? [] : [`${id}: ${numbers.length} numbers, the last is ${last_seq}`]
      }),
    due(viewer, session_id) {
      const found: Due[] = []
      for (const message of messages) {
        if (message.session_id !== session_id) continue
        const own = movesOf.get(message.id) ?? []
        let sees = maySee(viewer, message, own[0]?.from_visibility ?? message.visibility)
        if (sees) found.push({ id: message.id, seq: message.seq, hidden_at: undefined })
        for (const { seq, to_visibility } of own) {
          const now = maySee(viewer, message, to_visibility as string)
          if (now && !sees) found.push({ id: message.id, seq, hidden_at: undefined })
          const last = found.at(-1)
          if (!now && sees && last !== undefined) last.hidden_at = seq
          sees = now
        }
      }
      return found.sort((a, b) => a.seq - b.seq)
    },
    find: content => byContent.get(content) ?? []
  }
}

export function maySee(
  viewer: Identity,
  message: { sender: string; sender_type: string },
  visibility: string
): boolean {
  if (viewer.admin || visibility === 'public') return true
  if (visibility === 'private') return message.sender === viewer.agent_id
  return visibility === 'agent_only' && message.sender_type === viewer.agent_type
}

function group<T, K>(of: readonly T[], key: (one: T) => K): Map<K, T[]> {
  const found = new Map<K, T[]>()
  for (const one of of) {
    const name = key(one)
    const same = found.get(name)
    if (same === undefined) found.set(name, [one])
    else same.push(one)
  }
  return found
}

/** What was told, as whoever follows has noted it: `hidden` for what was taken back. */
export interface Told {
  id: number
  seq: number
  hidden?: true
}

/**
 * What is wrong with what a follower was told of one session: each message that is due once and in order, what was
 * taken back at most once and, where such things are told, taken back. Whoever comes late may be told that something
 * was taken back which it was never shown: it stood at a place where it could have been.
 * @param tellsPlaces whether `seq` is that of the change that made it visible; a waiter is given the message's own
 * @param tellsHidden whether it is told what was taken back
 */
export function faultsIn(
  told: readonly Told[],
  due: readonly Due[],
  { tellsPlaces, tellsHidden }: { tellsPlaces: boolean; tellsHidden: boolean }
): string[] {
  const faults: string[] = []
  const places = new Map(due.map(one => [one.id, one]))
  const shown = new Map<number, number>()
  let last = 0
  for (const { id, seq, hidden } of told) {
    const place = places.get(id)
    if (hidden === true) {
      if (place?.hidden_at !== seq) faults.push(`message ${id} was taken back at ${seq} instead of ${place?.hidden_at}`)
      else places.delete(id)
      if (seq <= last) faults.push(`${seq} came after ${last}`)
      last = seq
      continue
    }
    if (place === undefined) {
      faults.push(`message ${id} at ${seq} was not this agent's to see, or not any more`)
      continue
    }
    if (shown.has(id)) faults.push(`message ${id} came twice`)
    if (tellsPlaces && place.seq !== seq) faults.push(`message ${id} came at ${seq} instead of ${place.seq}`)
    if (place.seq <= last) faults.push(`message ${id}, of ${place.seq}, came after ${last}`)
    last = place.seq
    shown.set(id, seq)
  }
  for (const { id, seq, hidden_at } of due) {
    if (hidden_at === undefined && !shown.has(id)) faults.push(`message ${id}, of ${seq}, did not come`)
    if (tellsHidden && hidden_at !== undefined && shown.has(id) && places.has(id))
      faults.push(`message ${id} was shown and never taken back`)
  }
  return faults
}

/** The first faults are failures of their own: their texts are in each report of a run. */
export function noFaults(t: Test, faults: string[], name: string): void {
  for (const fault of faults.slice(0, 5)) t.fail(fault)
  t.equal(faults.length, 0, name)
}
