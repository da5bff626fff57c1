import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { whyUnready } from '../postgres/readiness.js'
import type { Db } from '../postgres/schema.js'
import type { Load } from './load.js'

/** Milliseconds within which the database must answer. */
const DATABASE_TIMEOUT_MS = 1000
/**
 * Milliseconds for which one result serves every probe. Probes need no credentials, so they must not be able to use up
 * database connections.
 */
const CACHE_MS = 100

export interface Health {
  /** The pool that calls use, in no workspace. */
  db: Db
  /** When a connection of that pool was last used without a fault, by performance.now(). */
  lastGoodAt: () => number
  load: Load
  version: string
}

/** Checks whether calls would succeed now. Resolves to the reason if not, else to undefined. */
export type Readiness = () => Promise<string | undefined>

export function registerHealth(app: FastifyInstance, { db, lastGoodAt, load, version }: Health): Readiness {
  const databaseCheck = shareCheck(() => whyUnready(db))
  const check = shareCheck(() => withTimeout(databaseCheck, lastGoodAt), CACHE_MS)
  const unready: Readiness = async () => (load.phase === 'serving' ? check() : 'stopping')

  app.get('/health/live', async () => ({ status: 'live', version }))
  for (const url of ['/health', '/health/ready']) {
    app.get(url, async (_request, reply) => {
      const reason = await unready()
      return reason === undefined
        ? { status: 'ready', version }
        : reply.code(503).send({ status: 'not ready', reason, version })
    })
  }
  return unready
}

async function withTimeout(
  check: () => Promise<string | undefined>,
  lastGoodAt: () => number
): Promise<string | undefined> {
  const started_at = performance.now()
  const timeout = delay(DATABASE_TIMEOUT_MS, undefined, { ref: false })
  // The pool may be busy with other calls. If these succeed, the check would succeed too.
  const late = timeout.then(() => (lastGoodAt() > started_at ? undefined : 'database unreachable'))
  return Promise.race([check(), late])
}

/** Shares one running check among all callers, and its result for `cache_ms` longer. */
function shareCheck<T>(check: () => Promise<T>, cache_ms = 0): () => Promise<T> {
  let shared: Promise<T> | undefined
  return () => {
    shared ??= check().finally(() => {
      setTimeout(() => {
        shared = undefined
      }, cache_ms).unref()
    })
    return shared
  }
}
