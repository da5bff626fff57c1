import type { Credentials } from './credentials.js'
import type { Message, Session, Task } from './generated/tools.js'
import { untilAborted } from './follow.js'
import { Ending, pause } from './pause.js'
import { UnreachableError } from './refused-error.js'
import { backoff, mayPass } from './retry.js'
import { eventsIn } from './sse.js'
import { answerOf, explained, open, type Wire } from './transport.js'

export interface EventsOptions {
  /** The session to follow. Left out: all of the workspace that the agent may see. */
  sessionId?: string | undefined
  /** Begin after this number, of one session; 0: with its first change. Left out: from now on. */
  afterSeq?: number | undefined
  /** Go on after the event with this id. It wins over `afterSeq`. */
  lastEventId?: string | undefined
  /** Ends the loop, without an error. */
  signal?: AbortSignal | undefined
  /** Told of each change between: `live`, events come; `lost`, the connection is gone and will be opened again. */
  onState?: ((state: 'live' | 'lost', error?: unknown) => void) | undefined
}

interface Change {
  seq: number
  /** On the stream of all sessions. */
  session_id?: string
}

/** A change, as docs/event-streams.md of the service describes it. */
export type SharedContextEvent = { id: string } & (
  | { event: 'message_added' | 'visibility_changed'; data: Change & { message: Message } }
  | { event: 'message_hidden' | 'message_deleted'; data: Change & { message_id: number } }
  | { event: 'session_updated' | 'session_closed'; data: Change & { session: Session } }
  | { event: 'session_deleted'; data: Change }
  | { event: 'task_changed'; data: Change & { task: Omit<Task, 'description' | 'result'> } }
  | { event: 'start'; data: { session_id?: string; last_seq?: number } }
  | { event: 'position'; data: Record<string, never> }
)

/** The service sends something every 15 s; a connection that is silent for so many milliseconds is dead. */
const SILENT_MS = 40_000

/** The changes of one session or of all: `for await (const { event, data } of client.events({ sessionId }))`. */
export class EventStream implements AsyncIterable<SharedContextEvent> {
  private lastId: string | undefined
  private isGone = false

  constructor(
    private readonly service: { wire: Wire; credentials: Credentials },
    private readonly options: EventsOptions
  ) {
    this.lastId = options.lastEventId
  }

  /** The id of the last event that was handled: pass it as `lastEventId` to go on later. */
  get lastEventId(): string | undefined {
    return this.lastId
  }

  /** Whether the loop has ended because the session was deleted. */
  get isSessionGone(): boolean {
    return this.isGone
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SharedContextEvent, void> {
    yield* untilAborted(this.options.signal, this.connections())
  }

  /** One connection after the other. */
  private async *connections(): AsyncGenerator<SharedContextEvent, void> {
    const { signal, onState } = this.options
    for (let failures = 0; !this.isGone;) {
      let fault: unknown
      const silence = new Ending(signal)
      try {
        const answer = await this.connect(silence)
        failures = 0
        onState?.('live')
        yield* this.eventsOf(answer, silence)
      } catch (error) {
        fault = explained(this.service.wire, error, silence.signal)
        if (!mayPass(fault)) throw fault
        failures++
        onState?.('lost', fault)
      } finally {
        // Leaving the loop must close the connection.
        silence.abort(undefined)
        silence.release()
      }
      // Also after a connection that ended well, such as with a replica that stops.
      if (!this.isGone) await pause(backoff(Math.max(1, failures), fault), signal)
    }
  }

  private async connect(silence: Ending): Promise<Response> {
    const { wire, credentials } = this.service
    const { sessionId, afterSeq, signal } = this.options
    const path = sessionId === undefined ? 'mcp/events' : `mcp/sessions/${encodeURIComponent(sessionId)}/events`
    const query = afterSeq === undefined || sessionId === undefined ? '' : `?after_seq=${afterSeq}`
    for (let isSecond = false; ; isSecond = true) {
      const sent = await credentials.headers(signal)
      const headers = { ...sent, ...(this.lastId !== undefined && { 'last-event-id': this.lastId }) }
      this.listen(silence)
      try {
        const answer = await open(wire, path + query, silence.signal, { headers })
        if (answer.ok && answer.headers.get('content-type')?.startsWith('text/event-stream') === true) return answer
        answerOf(wire, answer, await answer.text())
        throw new UnreachableError(`The address ${wire.base.href} did not answer with an event stream.`, {
          mayPass: false,
          suggestions: ['Check the address: something else than the service is there']
        })
      } catch (error) {
        const fault = explained(wire, error, silence.signal)
        if (isSecond || !(await credentials.replaced(fault, sent, signal))) throw fault
      }
    }
  }

  private async *eventsOf(answer: Response, silence: Ending): AsyncGenerator<SharedContextEvent, void> {
    if (answer.body === null) return
    const onData = () => {
      this.listen(silence)
    }
    for await (const { id, event, data } of eventsIn(answer.body, onData)) {
      if (event === 'end') {
        this.isGone = (data as { reason?: unknown }).reason === 'session_gone'
        return
      }
      yield { id, event, data } as SharedContextEvent
      // Only now: an event whose handling failed comes again.
      if (id !== '') this.lastId = id
    }
  }

  private listen(silence: Ending): void {
    silence.endIn(
      SILENT_MS,
      () =>
        new UnreachableError('The event stream is silent: the connection is dead.', { mayPass: true, suggestions: [] })
    )
  }
}
