import type { FastifyInstance } from 'fastify'
import type { Agent } from '../../kernel/agent.js'
import type { EndReason } from '../../feed/live.js'
import { rightsEnd } from '../../agents/rights.js'
import { createConcurrencyLimit } from '../../limits/concurrency-limit.js'
import type { EventStream } from '../event-stream.js'

/**
 * The notification streams that are open on this replica: how many there may be, and what all of them need now and
 * then.
 */

const STREAMS_MAX = 5000
/** Of one agent; those whose client has not authenticated yet share one such number. */
const STREAMS_PER_AGENT = 100
const TICK_MS = 1000
/** A comment keeps proxies from taking a silent stream for a dead one. */
const HEARTBEAT_TICKS = 15
/** How long a client may leave what was written to it unread before it is cut off. */
const UNREAD_TICKS = 30
const LOOK_TICKS = 600

export interface Open {
  stream: EventStream
  /** For whom it is, at the moment; undefined for a client that has not authenticated. */
  viewer: () => Agent | undefined
  /** Every ten minutes: that the stream is open counts as use of its MCP session, which would end unused. */
  look?: () => void
  /** Says goodbye and ends the stream. */
  end: (reason: EndReason) => void
}

export interface Streams {
  /** @throws AppError where there are too many. @returns what gives the place back, harmless twice */
  take: (viewer: Agent | undefined) => () => void
  add: (open: Open) => void
  remove: (open: Open) => void
  count: () => number
  close: () => void
}

const NOBODY = { workspace: '', agent_id: '', agent_type: '', permissions: [] } satisfies Agent

export function createStreams(app: Pick<FastifyInstance, 'verifiers' | 'stopping'>, tick_ms = TICK_MS): Streams {
  const places = createConcurrencyLimit({
    max: STREAMS_MAX,
    per_agent: STREAMS_PER_AGENT,
    what: 'notification streams'
  })
  const streams = new Map<Open, { unread: number; age: number }>()
  let clock: NodeJS.Timeout | undefined
  let ticks = 0

  function tick(): void {
    ticks++
    for (const [open, state] of streams) {
      state.unread = open.stream.blocked ? state.unread + 1 : 0
      if (state.unread > UNREAD_TICKS) open.stream.cut()
      else if (ticks % HEARTBEAT_TICKS === 0 && state.unread === 0) open.stream.write(': still here\n\n')
      if (++state.age % LOOK_TICKS === 0) open.look?.()
      void check(open)
    }
  }

  /** Who listens to nothing that Live follows is looked at here. */
  async function check(open: Open): Promise<void> {
    const viewer = open.viewer()
    if (viewer === undefined) return
    const ended = await rightsEnd(viewer, app.verifiers.tokens).catch(() => false as const)
    if (ended !== false) open.end(ended)
  }

  function endAll(): void {
    for (const open of [...streams.keys()]) open.end('stopping')
  }
  app.stopping.addEventListener('abort', endAll, { once: true })

  return {
    take: viewer => places.take(viewer ?? NOBODY),
    add(open) {
      streams.set(open, { unread: 0, age: 0 })
      clock ??= setInterval(tick, tick_ms).unref()
    },
    remove(open) {
      streams.delete(open)
      if (streams.size === 0) clock = void clearInterval(clock)
    },
    count: () => streams.size,
    close() {
      app.stopping.removeEventListener('abort', endAll)
      endAll()
    }
  }
}
