import type pg from 'pg'
import type { Cluster } from './cluster.js'
import { connect } from './connection.js'
import { EmbeddedError, HeldError, codeOf, messageOf } from './error.js'
import { applicationName, takeLocks } from './locks.js'
import type { Holder, Mode } from './locks.js'
import { freePort, startPostmaster, stopPostmaster } from './postmaster.js'
import type { Settings } from './postmaster.js'
import { findPostmaster, processIsAlive } from './process.js'
import { sleep } from './run.js'

/** A session that holds our locks on a PostgreSQL that runs. */
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
  /** Asked between steps; true gives up. */
  abandoned?: () => boolean
}

/** How long something may stand in the way that should pass: a dying predecessor, a shutdown, a port. */
const patience = 30_000
const longestRecovery = 300_000
/**
 * A `serve` that ends as we start is gone within this; one that is killed leaves its lock to a session that ends at
 * once.
 */
const holderPatience = 1_500

/** Joins the PostgreSQL that runs in this folder, or starts it; round and round until it stands or surely will not. */
export async function attach(
  cluster: Cluster,
  { mode, preferredPort, settings, abandoned = () => false }: AttachOptions
): Promise<Attachment> {
  const begun = Date.now()
  let deadline = begun + patience
  let started: number | undefined
  let heldSince: number | undefined
  let obstacle = 'it does not become ready'
  for (let pause = 25; !abandoned(); pause = Math.min(pause * 1.5, 500)) {
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
        obstacle =
          result.problem === 'port' ? 'no free port could be had' : 'another PostgreSQL seems to hold the folder'
      } else if (found.ready) {
        const client = await connect(cluster, found.port, applicationName(mode))
        const ended = new Promise<void>(resolve => {
          client.once('end', () => resolve())
        })
        const attachment = { client, ended, pid: found.pid, port: found.port, started: started === found.pid }
        const result = await takeLocks(client, mode).catch(async error => {
          await client.end().catch(() => {})
          throw error
        })
        if (result.taken) return attachment
        await client.end().catch(() => {})
        if (!result.stopping) {
          const alive = result.holder?.pid === undefined || processIsAlive(result.holder.pid)
          heldSince ??= Date.now()
          if (Date.now() - heldSince > (alive ? holderPatience : patience)) throw held(cluster, result.holder)
        }
      } else if (!found.stopping) {
        deadline = Math.max(deadline, Math.min(Date.now() + patience, begun + longestRecovery))
      }
    } catch (error) {
      if (error instanceof EmbeddedError) {
        if (started !== undefined && !(error instanceof HeldError)) await stopPostmaster(cluster)
        throw error
      }
      // Starting up, shutting down, too many sessions, connection refused or lost: all of it may pass.
      obstacle = `${messageOf(error)}${codeOf(error) && ` (${codeOf(error)})`}`
    }
    if (Date.now() > deadline)
      throw new EmbeddedError(
        `PostgreSQL in ${cluster.dir} cannot be used: ${obstacle}. Its log is ${cluster.logFile}.`
      )
    await sleep(pause)
  }
  throw new EmbeddedError('The start was given up.')
}

function held(cluster: Cluster, holder: Holder | undefined): HeldError {
  const who =
    holder === undefined
      ? ''
      : ` (${holder.pid === undefined ? holder.name : `process ${holder.pid}`}, since ${holder.since.toISOString()})`
  return new HeldError(
    `Another server${who} already uses the database in ${cluster.dir}. Stop it first, or give this one a DATA_DIR of its own.`
  )
}
