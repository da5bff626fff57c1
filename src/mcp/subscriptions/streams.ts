import type { FastifyInstance } from 'fastify'
import type { Agent } from '../../kernel/agent.js'
import type { EndReason } from '../../feed/live.js'
import { rightsEnd } from '../../agents/rights.js'
import { ConcurrencyLimit } from '../../kernel/semaphore.js'

const STREAMS_MAX = 5000
/** Of one agent. All clients that have not authenticated count as one agent. */
const STREAMS_PER_AGENT = 100
const CHECK_MS = 1000
const CHECKS_PER_LOOK = 600

export interface Open {
  /** Whose rights the stream has at the moment; undefined: its client has not authenticated. */
  viewer: () => Agent | undefined
  /** Called every ten minutes: an open stream counts as use of its MCP session, which would end otherwise. */
  look?: () => void
  /** Tells the client, and ends the stream. */
  end: (reason: EndReason) => void
}

/** The notification streams that are open on this replica. */
export interface Streams {
  /** @throws AppError where there are too many. @returns what gives the stream back, harmless twice */
  take: (viewer: Agent | undefined) => () => void
  add: (open: Open) => void
  remove: (open: Open) => void
  close: () => void
}

const NOBODY = { workspace: '', agent_id: '', agent_type: '', permissions: [] } satisfies Agent

export function createStreams(app: Pick<FastifyInstance, 'verifiers' | 'stopping'>): Streams {
  const limit = new ConcurrencyLimit({
    max: STREAMS_MAX,
    per_agent: STREAMS_PER_AGENT,
    what: 'notification streams'
  })
  /** With the number of checks that each has been through. */
  const streams = new Map<Open, { checks: number }>()
  let clock: NodeJS.Timeout | undefined

  function checkAll(): void {
    for (const [open, state] of streams) {
      if (++state.checks % CHECKS_PER_LOOK === 0) open.look?.()
      void check(open)
    }
  }

  /** A stream may watch nothing for which the rights are checked elsewhere: an agent's memory, or nothing at all. */
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
    take: viewer => limit.take(viewer ?? NOBODY),
    add(open) {
      streams.set(open, { checks: 0 })
      clock ??= setInterval(checkAll, CHECK_MS).unref()
    },
    remove(open) {
      streams.delete(open)
      if (streams.size === 0) clock = void clearInterval(clock)
    },
    close() {
      app.stopping.removeEventListener('abort', endAll)
      endAll()
    }
  }
}
