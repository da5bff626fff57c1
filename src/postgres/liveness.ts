import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { ConnectError, isUnreachable } from './faults.js'
import { destroySocket, processIdOf, queryWithPrefix } from './pg-internals.js'
import type { RunStatement } from './scoped-connection.js'

/**
 * Milliseconds without an answer after which the service asks whether the server is at work on the statement at all.
 */
const SUSPECT_MS = 2000
/** Milliseconds in which a new connection must say so. All times together leave a caller waiting for less than 5 s. */
const PROBE_MS = 2000
/** Milliseconds for an answer that was on its way when the server was asked. */
const GRACE_MS = 400
const CHECK_MS = 200

export interface Liveness {
  run: RunStatement
  close: () => void
}

export interface LivenessOptions {
  /** Milliseconds after which a connection is given up, whatever the server says; 0 for never. */
  limit_ms: number
  /** Makes a new connection. */
  client: (signal: AbortSignal) => Promise<pg.Client>
  isPooled: (client: pg.ClientBase) => boolean
}

/**
 * A pooler hides on which server connection a statement runs. Then no connection is suspect while one of ours is busy.
 */
const WORKING = `
  select pid from pg_stat_activity
  where datname = current_database() and state not like 'idle%' and pid <> pg_backend_pid()
    and case when $2 then application_name = current_setting('application_name')
                          and coalesce(query_start < clock_timestamp() - interval '1 second', true)
             else pid = any($1::int[]) end`

/**
 * Runs statements, and gives up connections that have died without a word. After a failover or a fault of the network a
 * connection can look alive, and nothing ever comes back on it. A statement that takes long looks the same, so a new
 * connection asks the server.
 */
export function watchStatements({ limit_ms, client: connect, isPooled }: LivenessOptions): Liveness {
  interface Running {
    since: number
    /** When the server is asked next, if no answer has come. */
    suspect_at: number
  }
  const running = new Map<pg.PoolClient, Running>()
  let judging = false

  function check(): void {
    const now = performance.now()
    const suspects: Array<[pg.PoolClient, Running]> = []
    for (const [client, statement] of running) {
      if (limit_ms > 0 && now - statement.since > limit_ms) destroySocket(client)
      else if (now > statement.suspect_at) suspects.push([client, statement])
    }
    if (suspects.length === 0 || judging) return
    judging = true
    void judge(suspects).finally(() => {
      judging = false
    })
  }

  async function judge(suspects: ReadonlyArray<[pg.PoolClient, Running]>): Promise<void> {
    const isWorking = await ask(suspects.map(([client]) => client))
    await sleep(GRACE_MS, undefined, { ref: false })
    for (const [client, statement] of suspects) {
      statement.suspect_at = performance.now() + SUSPECT_MS
      if (running.get(client) === statement && !isWorking(client)) destroySocket(client)
    }
  }

  /** Which of the connections the server is at work for. A server that does not answer is at work for none. */
  async function ask(clients: readonly pg.PoolClient[]): Promise<(client: pg.PoolClient) => boolean> {
    const pooled = clients.some(isPooled)
    const late = AbortSignal.timeout(PROBE_MS)
    let client: pg.Client | undefined
    try {
      client = await connect(late)
      late.addEventListener('abort', destroySocket.bind(undefined, client))
      const { rows } = await client.query<{ pid: number }>(WORKING, [clients.map(processIdOf), pooled])
      return each => (pooled ? rows.length > 0 : rows.some(({ pid }) => pid === processIdOf(each)))
    } catch (error) {
      const fault = error instanceof ConnectError ? error.cause : error
      // Who refuses is there, but has not said what it is at work on.
      const refused = typeof (fault as { severity?: unknown }).severity === 'string' && !isUnreachable(fault)
      return () => refused
    } finally {
      if (client !== undefined) destroySocket(client)
    }
  }

  const timer = setInterval(check, CHECK_MS)
  timer.unref()
  return {
    async run(client, prefix, statement) {
      const now = performance.now()
      running.set(client, { since: now, suspect_at: now + SUSPECT_MS })
      try {
        return await queryWithPrefix(client, prefix, statement)
      } finally {
        running.delete(client)
      }
    },
    close() {
      clearInterval(timer)
    }
  }
}
