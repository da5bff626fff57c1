import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Cluster } from './cluster.js'
import { connect } from './connection.js'
import { EmbeddedError, InUseError, codeOf, messageOf } from './error.js'
import { applicationName, type LockOwner, type Mode, takeLocks } from './locks.js'
import { freePort, type Settings, startPostmaster, stopPostmaster } from './postmaster.js'
import { findPostmaster, processIsAlive } from './process.js'

/** A connection to a running PostgreSQL that holds this process's locks. */
export interface Attachment {
  client: pg.Client
  ended: Promise<void>
  pid: number
  port: number
  started: boolean
}

export interface AttachOptions {
  mode: Mode
  preferredPort?: number | undefined
  settings?: Settings | undefined
  /** Called between steps; true cancels. */
  isCancelled?: () => boolean
}

/** How long to wait for temporary obstacles: a predecessor that is stopping, a shutdown, a port in use. */
const WAIT_MS = 30_000
const RECOVERY_MAX_MS = 300_000
/** How long to wait for another `serve` that is just stopping. (The locks of a killed one are released at once.) */
const OWNER_WAIT_MS = 1_500

/**
 * Joins the PostgreSQL that runs in this folder, or starts it. Retries until that succeeds or cannot succeed.
 * @throws InUseError if another server owns the folder, EmbeddedError if PostgreSQL cannot be used
 */
export async function attach(
  cluster: Cluster,
  { mode, preferredPort, settings, isCancelled = () => false }: AttachOptions
): Promise<Attachment> {
  const started_at = Date.now()
  let deadline = started_at + WAIT_MS
  let started: number | undefined
  let in_use_since: number | undefined
  let lastProblem = 'it does not become ready'
  for (let pause = 25; !isCancelled(); pause = Math.min(pause * 1.5, 500)) {
    try {
      const found = await findPostmaster(cluster.dir)
      if (found === undefined) {
        const port = await freePort(preferredPort)
        const result = await startPostmaster(cluster, port, settings)
        if ('pid' in result) {
          started = result.pid
          continue
        }
        if (result.problem === 'port') preferredPort = undefined
        lastProblem =
          result.problem === 'port' ? 'no free port was found' : 'another PostgreSQL seems to use the folder'
      } else if (found.ready) {
        const client = await connect(cluster, found.port, applicationName(mode))
        const ended = new Promise<void>(resolve => {
          client.once('end', () => resolve())
        })
        const attachment = { client, ended, pid: found.pid, port: found.port, started: started === found.pid }
        const locks = await takeLocks(client, mode).catch(async error => {
          await client.end().catch(() => {})
          throw error
        })
        if (locks.result === 'taken') return attachment
        await client.end().catch(() => {})
        if (locks.result === 'owned') {
          const alive = locks.owner?.pid === undefined || processIsAlive(locks.owner.pid)
          in_use_since ??= Date.now()
          if (Date.now() - in_use_since > (alive ? OWNER_WAIT_MS : WAIT_MS)) throw inUseError(cluster, locks.owner)
        }
      } else if (!found.stopping) {
        deadline = Math.max(deadline, Math.min(Date.now() + WAIT_MS, started_at + RECOVERY_MAX_MS))
      }
    } catch (error) {
      if (error instanceof EmbeddedError) {
        if (started !== undefined && !(error instanceof InUseError)) await stopPostmaster(cluster)
        throw error
      }
      // Starting up, shutting down, too many sessions, connection refused or lost: all of these may be temporary.
      lastProblem = `${messageOf(error)}${codeOf(error) && ` (${codeOf(error)})`}`
    }
    if (Date.now() > deadline)
      throw new EmbeddedError(
        `PostgreSQL in ${cluster.dir} cannot be used: ${lastProblem}. Its log is ${cluster.logFile}.`
      )
    await sleep(pause)
  }
  throw new EmbeddedError('The start was cancelled.')
}

function inUseError(cluster: Cluster, owner: LockOwner | undefined): InUseError {
  const who =
    owner && ` (${owner.pid === undefined ? owner.name : `process ${owner.pid}`}, since ${owner.since.toISOString()})`
  return new InUseError(
    `Another server${who ?? ''} already uses the database in ${cluster.dir}. Stop it first, ` +
      'or give this one a DATA_DIR of its own.'
  )
}
