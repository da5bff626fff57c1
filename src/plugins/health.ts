import type { FastifyInstance } from 'fastify'
import { isCurrent } from '../db/migrate.js'
import type { Db } from '../db/schema.js'
import type { Load } from './load.js'

/** The database must answer within this. */
const WITHIN_MS = 1000

export interface Health {
  /** A connection of its own: a busy pool does not make the database unreachable. */
  db: Db
  load: Load
  version: string
}

export function registerHealth (app: FastifyInstance, { db, load, version }: Health): void {
  async function unready (): Promise<string | undefined> {
    if (load.phase !== 'serving') return 'stopping'
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((_resolve, reject) => { timer = setTimeout(() => { reject(new Error('late')) }, WITHIN_MS) })
    const asked = isCurrent(db)
    try {
      return await Promise.race([asked, late]) ? undefined : 'migrations missing'
    } catch {
      return 'database unreachable'
    } finally {
      clearTimeout(timer)
      asked.catch(() => {})
    }
  }

  app.get('/health/live', async () => ({ status: 'live', version }))
  for (const url of ['/health', '/health/ready']) {
    app.get(url, async (_request, reply) => {
      const reason = await unready()
      return reason === undefined ? { status: 'ready', version } : reply.code(503).send({ status: 'not ready', reason, version })
    })
  }
}
