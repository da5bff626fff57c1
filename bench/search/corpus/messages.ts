import { chatter } from './chatter.js'
import { logs } from './logs.js'
import { metadata } from './metadata.js'
import type { Topic } from './prose.js'
import { random, type Random } from './random.js'
import { review } from './review.js'
import { chatterSender, logSender, reviewSender, type Sender } from './senders.js'
import type { Vocabulary } from './vocabulary.js'

export type TextKind = 'chatter' | 'review' | 'logs'

export interface Message {
  /** Its place in the session, from 1, as the service numbers them. */
  seq: number
  kind: TextKind
  sender: string
  sender_type: string
  content: string
  visibility: 'public' | 'private' | 'agent_only' | 'admin_only'
  metadata: Record<string, unknown>
  timestamp: string
}

const MIN = 20
const MAX = 2000
const START = Date.UTC(2026, 0, 5)
/** Between two messages of a session. */
const STEP_MS = 7_000
const TOPICS = 24

/**
 * A message is made from its session's name and its number alone, so that any of a million can be had without the
 * others.
 */
export function createMessages(words: Vocabulary): (session: string, seq: number) => Message {
  const topics = new Map<string, Topic[]>()
  return (session, seq) => {
    let its = topics.get(session)
    if (its === undefined) topics.set(session, (its = topicsOf(words, session)))
    const r = random(`${words.seed}/${session}/${seq}`)
    const kind = r.pick<TextKind>(['chatter', 'chatter', 'review', 'logs'])
    const pen = { random: r, words, topic: r.pick(its) }
    const timestamp = new Date(START + seq * STEP_MS + r.int(0, STEP_MS - 1)).toISOString()
    const sender = senderOf(kind, r, words)
    const length = lengthOf(r)
    const text =
      kind === 'chatter' ? chatter(pen, length) : kind === 'review' ? review(pen, length) : logs(pen, length, timestamp)
    return {
      seq,
      kind,
      sender: sender.name,
      sender_type: sender.type,
      content: fit(text, pen.topic),
      visibility: visibility(r),
      metadata: metadata(pen),
      timestamp
    }
  }
}

function senderOf(kind: TextKind, r: Random, words: Vocabulary): Sender {
  return kind === 'chatter' ? chatterSender(r) : kind === 'review' ? reviewSender(r, words) : logSender(r)
}

/** Many short texts and few long ones: log-normal, by the sum of twelve. */
function lengthOf(r: Random): number {
  let normal = -6
  for (let i = 0; i < 12; i++) normal += r.next()
  return Math.min(MAX, Math.max(MIN, Math.exp(4.95 + 0.85 * normal)))
}

function fit(text: string, topic: Topic): string {
  const trimmed = text.trim()
  if (trimmed.length < MIN) return `${trimmed} ${topic.nouns.slice(0, 3).join(' ')}`
  if (trimmed.length <= MAX) return trimmed
  return trimmed.slice(0, MAX).replace(/\s+\S*$/u, '')
}

function visibility(r: Random): Message['visibility'] {
  const u = r.next()
  return u < 0.88 ? 'public' : u < 0.93 ? 'private' : u < 0.98 ? 'agent_only' : 'admin_only'
}

function topicsOf(words: Vocabulary, session: string): Topic[] {
  return Array.from({ length: TOPICS }, (_, i) => {
    const r = random(`${words.seed}/${session}/topic/${i}`)
    const some = (list: string[], count: number) => Array.from({ length: count }, () => r.pick(list))
    return {
      nouns: [...some(words.nouns, 22), ...some(words.technical, 18)],
      verbs: some(words.verbs, 20),
      adjectives: some(words.adjectives, 14),
      names: some(words.names, 8)
    }
  })
}
