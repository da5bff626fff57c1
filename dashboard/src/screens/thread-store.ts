import type { MessageView } from '../api/catalogue.js'
import type { Client } from '../api/client.js'

/** Messages of a page: of answers, and of what was said before. */
const ANSWERS = 200
const BEFORE = 1000
/** Reads until one asks for more: of answers, one for each message that may have some; and of pages before. */
const ANSWER_READS = 40
const PAGES_BEFORE = 5
/** Reads at the same time. */
const AT_ONCE = 4

/** What the timeline holds: it need not be read. */
export interface Loaded {
  messages: readonly MessageView[]
  has_older: boolean
  has_newer: boolean
}

export interface Reading {
  found: ReadonlyMap<number, MessageView>
  /** Whether there may be more than what was found, above the first message or below. */
  more_above: boolean
  more_below: boolean
  loading: boolean
  error: unknown
}

/**
 * Reads what the timeline does not hold of a thread: what its first known message answers, up to the first of all, and
 * the answers to each message. It reads a bounded number of times, and then waits until one asks for more.
 */
export class ThreadStore {
  private reading: Reading = {
    found: new Map(),
    more_above: false,
    more_below: false,
    loading: true,
    error: undefined
  }
  /** Up to which seq the answers to a message were read; true: all of them. */
  private readonly answers = new Map<number, number | true>()
  /** Before which seq the messages are to be read that may be what the first one answers. */
  private before_seq: number | undefined
  private closed = false
  private busy = false

  constructor(
    private readonly client: Client,
    private readonly of: MessageView,
    private readonly loaded: () => Loaded,
    private readonly onChange: (reading: Reading) => void
  ) {
    this.set({ found: new Map([[of.id, of]]) })
    void this.more()
  }

  close(): void {
    this.closed = true
  }

  async more(): Promise<void> {
    if (this.busy) return
    this.busy = true
    this.set({ loading: true, error: undefined })
    try {
      await this.readAbove()
      await this.readBelow()
      this.set({ loading: false })
    } catch (error) {
      this.set({ loading: false, error })
    }
    this.busy = false
  }

  private async readAbove(): Promise<void> {
    const { session_id } = this.of
    for (let pages = 0; !this.closed; pages++) {
      const first = this.first()
      if (first.parent_message_id === null) return this.set({ more_above: false })
      if (pages === PAGES_BEFORE) return this.set({ more_above: true })
      // It was written before what answers it.
      const before_seq: number = Math.min(this.before_seq ?? Infinity, first.seq)
      const page = await this.client.call('get_messages', { session_id, before_seq, limit: BEFORE, order: 'desc' })
      const by_id = new Map(page.messages.map(message => [message.id, message]))
      const above = ancestors(first, id => by_id.get(id))
      this.set({ found: new Map([...this.reading.found, ...above.map(each => [each.id, each] as const)]) })
      this.before_seq = page.messages.at(-1)?.seq ?? 0
      // What one may not see, or what is gone, is on no page.
      if (!page.has_more) return this.set({ more_above: false })
    }
  }

  private async readBelow(): Promise<void> {
    let reads = 0
    for (;;) {
      const open = this.withOpenAnswers()
      if (this.closed || open.length === 0) return this.set({ more_below: false })
      const now = open.slice(0, Math.min(AT_ONCE, ANSWER_READS - reads))
      if (now.length === 0) return this.set({ more_below: true })
      reads += now.length
      await Promise.all(now.map(message => this.readAnswers(message)))
    }
  }

  private async readAnswers({ id, session_id, seq }: MessageView): Promise<void> {
    const from = this.answers.get(id)
    const after_seq = typeof from === 'number' ? from : seq
    const page = await this.client.call('get_messages', {
      session_id,
      parent_message_id: id,
      after_seq,
      limit: ANSWERS,
      order: 'asc'
    })
    this.answers.set(id, page.has_more ? page.last_seq : true)
    this.set({ found: new Map([...this.reading.found, ...page.messages.map(each => [each.id, each] as const)]) })
  }

  /** The messages of the thread of which not all answers are known, in their order. */
  private withOpenAnswers(): MessageView[] {
    const { messages, has_older, has_newer } = this.loaded()
    // After its first message, the timeline leaves nothing out.
    const complete_from = has_newer ? Infinity : has_older ? (messages[0]?.seq ?? Infinity) : 0
    return threadOf(this.first(), this.known())
      .filter(({ message }) => this.answers.get(message.id) !== true && message.seq < complete_from)
      .map(({ message }) => message)
  }

  private first(): MessageView {
    const known = this.known()
    return ancestors(this.of, id => known.get(id)).at(-1) ?? this.of
  }

  private known(): ReadonlyMap<number, MessageView> {
    return new Map([...this.reading.found, ...this.loaded().messages.map(each => [each.id, each] as const)])
  }

  private set(change: Partial<Reading>): void {
    this.reading = { ...this.reading, ...change }
    if (!this.closed) this.onChange(this.reading)
  }
}

/** What a message answers, what that answers, and so on. */
export function ancestors(of: MessageView, find: (id: number) => MessageView | undefined): MessageView[] {
  const all: MessageView[] = []
  for (let each = of; each.parent_message_id !== null;) {
    const parent = find(each.parent_message_id)
    if (parent === undefined) break
    all.push(parent)
    each = parent
  }
  return all
}

export interface InThread {
  message: MessageView
  depth: number
}

/** A message and all answers below it: each before the answers to it, and these in their order. */
export function threadOf(first: MessageView, known: ReadonlyMap<number, MessageView>): InThread[] {
  const answers = new Map<number, MessageView[]>()
  for (const message of known.values()) {
    const { parent_message_id } = message
    if (parent_message_id === null) continue
    const those = answers.get(parent_message_id)
    if (those === undefined) answers.set(parent_message_id, [message])
    else those.push(message)
  }
  const all: InThread[] = []
  // No recursion: agents that answer each other in turn make threads as deep as they are long.
  const todo: InThread[] = [{ message: first, depth: 0 }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    all.push(next)
    const { id } = next.message
    const below = (answers.get(id) ?? []).sort((a, b) => b.seq - a.seq)
    for (const message of below) todo.push({ message, depth: next.depth + 1 })
  }
  return all
}
