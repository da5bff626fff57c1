import type { Bench } from '../kit/bench.js'
import type { OwnDatabase } from '../kit/postgres.js'
import { CONNECTIONS } from '../kit/requests.js'
import { type Service, type Start, startService } from '../kit/service.js'

/** A service on a database of its own, with an agent and a session for each connection. */
export interface Served {
  database: OwnDatabase
  service: Service
  tokens: string[]
  sessions: string[]
  /** What a measure no longer needs must not keep its disk and its memory. */
  end: () => Promise<void>
}

export async function served(bench: Bench, name: string, start: Omit<Start, 'database_url'> = {}): Promise<Served> {
  const database = await bench.postgres.createDatabase(name)
  const service = await startService(bench.program, bench.cleanup, { database_url: database.url, ...start })
  const tokens = await service.tokens(CONNECTIONS)
  const sessions = await service.sessions(CONNECTIONS)
  return {
    database,
    service,
    tokens,
    sessions,
    async end() {
      await service.stop()
      await database.drop()
    }
  }
}
