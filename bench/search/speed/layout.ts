import type { Corpus, Message } from '../corpus.js'
import { type Row, sessionId } from '../load.js'

export interface Session {
  /** Its name in the corpus. */
  name: string
  id: string
  size: number
}

export interface Layout {
  /** 1k, 10k, 100k and 300k messages of a million; of fewer, as many fewer. */
  named: [Session, Session, Session, Session]
  fillers: Session[]
  total: number
}

const MILLION = 1_000_000
const NAMED = [1_000, 10_000, 100_000, 300_000]
const FILLER = 1_000
/** Small sessions that are written to at the same time, as in life. */
const ACTIVE = 20

export function layout(total: number): Layout {
  const named = NAMED.map((size, i) => {
    const scaled = Math.max(100, Math.round(size * Math.min(1, total / MILLION)))
    return { name: `named-${i}`, id: sessionId(i + 1), size: scaled }
  }) as Layout['named']
  const rest = Math.max(0, total - named.reduce((sum, session) => sum + session.size, 0))
  const fillers = Array.from({ length: Math.ceil(rest / FILLER) }, (_, i) => ({
    name: `filler-${i}`,
    id: sessionId(1000 + i),
    size: Math.min(FILLER, rest - i * FILLER)
  }))
  return { named, fillers, total: rest + named.reduce((sum, session) => sum + session.size, 0) }
}

/**
 * What is found only by a search that has no window: common words in an order of their own, and an emoji that stands
 * nowhere else.
 */
export const PLANTED = { phrase: 'of the from that with this for', emoji: '🪐' }

/**
 * All messages in the order of their writing: the named sessions are spread evenly over the whole time, so that their
 * rows lie far apart on disk; of the small ones some are open at a time.
 */
export function* rows(corpus: Corpus, { named, fillers, total }: Layout): Iterable<Row> {
  const of = (session: Session, seq: number) => ({ ...corpus.message(session.name, seq), session_id: session.id })
  const small = inTurns(fillers)
  const done = named.map(() => 0)
  const largest = named[3]
  for (let position = 1; position <= total; position++) {
    for (const [i, session] of named.entries()) {
      while ((done[i] as number) < Math.floor((position / total) * session.size)) {
        const seq = (done[i] = (done[i] as number) + 1)
        yield session === largest && seq === 1 ? planted(of(session, seq)) : of(session, seq)
      }
    }
    const next = small.next()
    if (next.done !== true) yield of(next.value.session, next.value.seq)
  }
}

/** The messages of some sessions, each spread evenly over the whole time. */
export function* spread(corpus: Corpus, sessions: Session[]): Iterable<Row> {
  const total = Math.max(...sessions.map(({ size }) => size))
  const done = sessions.map(() => 0)
  for (let position = 1; position <= total; position++)
    for (const [i, { name, id, size }] of sessions.entries())
      while ((done[i] as number) < Math.floor((position / total) * size))
        yield { ...corpus.message(name, (done[i] = (done[i] as number) + 1)), session_id: id }
}

function* inTurns(sessions: Session[]): Iterator<{ session: Session; seq: number }, void> {
  for (let from = 0; from < sessions.length; from += ACTIVE) {
    const open = sessions.slice(from, from + ACTIVE)
    for (let seq = 1; seq <= FILLER; seq++) for (const session of open) if (seq <= session.size) yield { session, seq }
  }
}

function planted<T extends Message>(message: T): T {
  return {
    ...message,
    visibility: 'public',
    content: `Planted ${PLANTED.phrase} and so on ${PLANTED.emoji} as the oldest of all.`
  }
}
