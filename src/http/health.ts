import type { FastifyInstance } from 'fastify'
import { whyUnready } from '../postgres/readiness.js'
import type { Db } from '../postgres/schema.js'
import type { Load } from './load.js'

/** Milliseconds within which the database must answer. */
const WITHIN_MS = 1000
/**
 * Milliseconds for which one answer serves every probe: probes carry no credentials and must not be a way to use up
 * connections.
 */
const REUSED_MS = 100

export interface Health {
  /** The pool that calls use, in no workspace. */
  db: Db
  /** When a connection of that pool was last used without a fault, by performance.now(). */
  lastGoodAt: () => number
  load: Load
  version: string
}

/** Whether calls would succeed now. @returns why not, or undefined */
export type Readiness = () => Promise<string | undefined>

export function registerHealth(app: FastifyInstance, { db, lastGoodAt, load, version }: Health): Readiness {
  const asked = shareCheck(() => whyUnready(db))
  const check = shareCheck(() => inTime(asked, lastGoodAt), REUSED_MS)
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

async function inTime(check: () => Promise<string | undefined>, lastGoodAt: () => number): Promise<string | undefined> {
  const asked_at = performance.now()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string | undefined>(resolve => {
    // Calls that came first may keep the whole pool busy. What succeeds for them would succeed for the check.
    timer = setTimeout(() => {
      resolve(lastGoodAt() > asked_at ? undefined : 'database unreachable')
    }, WITHIN_MS)
  })
  try {
    return await Promise.race([check(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** One check at a time for everybody who asks, and its answer for `reused_ms` longer. */
function shareCheck<T>(check: () => Promise<T>, reused_ms = 0): () => Promise<T> {
  let shared: Promise<T> | undefined
  return () => {
    shared ??= check().finally(() => {
      setTimeout(() => {
        shared = undefined
      }, reused_ms).unref()
    })
    return shared
  }
}
