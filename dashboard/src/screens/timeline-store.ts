import type { SharedContextEvent } from '../../../clients/typescript/src/index.js'
import type { MessageView, SessionView, TaskView } from '../api/catalogue.js'
import type { Client } from '../api/client.js'
import { followEvents, type StreamState } from '../api/events.js'

/** Messages of the first page, and of each further one. */
const FIRST_PAGE = 200
const PAGE = 1000

export interface Timeline {
  /** Another one for each store. */
  key: string
  session: SessionView | undefined
  /** In the order of the session, each once. Between the first and the last none is missing that one may see. */
  messages: readonly MessageView[]
  /** Threads need these: answers that came live while the newest messages are not loaded. Only the latest of them. */
  beyond: readonly MessageView[]
  tasks: ReadonlyMap<string, TaskView>
  /** The ids of those that were deleted or hidden while one looked. */
  removed: ReadonlySet<number>
  /** How many of them have come live. */
  arrived: number
  has_older: boolean
  /** Whether there are messages after the last one here: then new ones are not shown until one scrolls to the end. */
  has_newer: boolean
  loading: boolean
  gone: boolean
  state: StreamState
  error: unknown
}

/**
 * A stretch of a session's messages, which grows at both ends, and follows the session live while it holds the newest
 * one. It tells `onChange` of each new state, at most once a frame.
 */
export class TimelineStore {
  private timeline: Timeline = {
    key: crypto.randomUUID(),
    session: undefined,
    messages: [],
    beyond: [],
    tasks: new Map(),
    removed: new Set(),
    arrived: 0,
    has_older: false,
    has_newer: false,
    loading: true,
    gone: false,
    state: 'connecting',
    error: undefined
  }
  private stop: (() => void) | undefined
  private frame: number | undefined
  private closed = false

  /** @param at the seq to begin at; undefined: the newest */
  constructor(
    private readonly client: Client,
    private readonly session_id: string,
    private readonly onChange: (timeline: Timeline) => void,
    at?: number
  ) {
    void this.start(at)
  }

  close(): void {
    this.closed = true
    this.stop?.()
    if (this.frame !== undefined) cancelAnimationFrame(this.frame)
  }

  /** Loads the page before the first message. */
  async older(): Promise<void> {
    const first = this.timeline.messages[0]
    if (first === undefined || !this.timeline.has_older) return
    await this.load(async () => {
      const { session_id } = this
      const page = await this.client.call('get_messages', {
        session_id,
        before_seq: first.seq,
        limit: PAGE,
        order: 'desc'
      })
      this.set({
        messages: [...page.messages.reverse().filter(({ seq }) => seq < first.seq), ...this.timeline.messages],
        has_older: page.has_more
      })
    })
  }

  /** Loads the page after the last message. */
  async newer(): Promise<void> {
    if (!this.timeline.has_newer) return
    await this.load(() => this.nextPage())
  }

  /** Goes to the newest messages, and forgets the others. */
  async newest(): Promise<void> {
    if (this.timeline.has_newer) await this.load(async () => void (await this.firstPage(undefined)))
  }

  async reloadSession(): Promise<void> {
    const { session } = await this.client.call('get_session', { session_id: this.session_id, message_limit: 0 })
    this.set({ session })
  }

  private async start(at: number | undefined): Promise<void> {
    const { client, session_id } = this
    await this.load(async () => {
      await this.reloadSession()
      const last_seq = await this.firstPage(at)
      if (this.closed) return
      this.stop = followEvents(
        client,
        { sessionId: session_id, afterSeq: last_seq },
        {
          onState: state => {
            this.set({ state, gone: state === 'over' })
          },
          onEvent: event => {
            this.apply(event)
          }
        }
      )
      await this.loadTasks()
    })
  }

  /** @returns the last_seq from which on changes are still to be told */
  private async firstPage(at: number | undefined): Promise<number> {
    const { client, session_id } = this
    const before = await client.call('get_messages', {
      session_id,
      limit: FIRST_PAGE,
      order: 'desc',
      ...(at !== undefined && { before_seq: at + 1 })
    })
    this.set({ messages: before.messages.reverse(), has_older: before.has_more, has_newer: at !== undefined })
    if (at !== undefined) await this.nextPage()
    return before.last_seq
  }

  private async nextPage(): Promise<void> {
    const { session_id } = this
    // Twice if it is the last one: what came between its reading and its arrival was not shown.
    for (let last = false; ;) {
      const after_seq = this.timeline.messages.at(-1)?.seq ?? 0
      const page = await this.client.call('get_messages', { session_id, after_seq, limit: PAGE })
      this.set({ messages: merged(this.timeline.messages, page.messages), has_newer: page.has_more })
      if (page.has_more || last) return
      last = true
    }
  }

  private async loadTasks(): Promise<void> {
    const { tasks } = await this.client.call('list_tasks', { session_id: this.session_id, limit: 200 })
    this.set({ tasks: new Map(tasks.map(task => [task.task_id, task])) })
  }

  private async load(what: () => Promise<void>): Promise<void> {
    this.set({ loading: true })
    try {
      await what()
      this.set({ loading: false, error: undefined })
    } catch (error) {
      this.set({ loading: false, error })
    }
  }

  private apply({ event, data }: SharedContextEvent): void {
    const { messages, tasks, has_newer } = this.timeline
    if (event === 'message_added' || event === 'visibility_changed') {
      const { message } = data
      const first = messages[0]?.seq ?? 0
      const last = messages.at(-1)?.seq ?? 0
      if (has_newer && message.seq > last) {
        if (message.parent_message_id !== null)
          this.set({ beyond: [...this.timeline.beyond, message].slice(-FIRST_PAGE) })
        return
      }
      if (this.timeline.has_older && message.seq < first) return
      const arrived = this.timeline.arrived + (message.seq > last ? 1 : 0)
      // It may have been hidden before.
      const removed = new Set([...this.timeline.removed].filter(id => id !== message.id))
      this.set({ messages: merged(messages, [message]), removed, arrived })
    } else if (event === 'message_hidden' || event === 'message_deleted') {
      const removed = new Set(this.timeline.removed).add(data.message_id)
      this.set({ messages: messages.filter(({ id }) => id !== data.message_id), removed })
    } else if (event === 'session_updated' || event === 'session_closed') {
      void this.reloadSession().catch(() => {})
    } else if (event === 'task_changed') {
      const { task } = data
      this.set({
        tasks: new Map(tasks).set(task.task_id, { description: '', result: null, ...tasks.get(task.task_id), ...task })
      })
    }
  }

  private set(change: Partial<Timeline>): void {
    this.timeline = { ...this.timeline, ...change }
    if (this.closed) return
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined
      this.onChange(this.timeline)
    })
  }
}

/** Both together in the order of seq; a message that is in both as the second has it. */
function merged(here: readonly MessageView[], more: readonly MessageView[]): readonly MessageView[] {
  if (more.length === 0) return here
  const last = here.at(-1)?.seq ?? 0
  if (more.every(({ seq }) => seq > last)) return [...here, ...more]
  const by_id = new Map([...here, ...more].map(message => [message.id, message]))
  return [...by_id.values()].sort((a, b) => a.seq - b.seq)
}
