import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type * as loading from '../load.js'
import type * as preparing from '../prepare.js'
import type * as servers from '../server.js'
import type * as running from '../speed/run.js'
import type * as scopes from '../../../src/postgres/scope.js'

/** This checkout. */
export const OURS = join(import.meta.dirname, '..', '..', '..')

/** One checkout's search, on a database of its own that holds the same messages. */
export interface Side {
  described: string
  pool: ReturnType<servers.Server['connect']>['pool']
  ask: (session_id: string | undefined, text: string) => Promise<{ results: unknown[]; partial: boolean }>
  stop: () => Promise<void>
}

/** Connections: as many as searches that run at a time. */
export const AT_ONCE = 8

/** Loads and indexes the messages as the checkout in a folder does, by its own programs. */
export async function openSide(folder: string, rows: Iterable<loading.Row>): Promise<Side> {
  const of = async <T>(path: string) => (await import(join(resolve(folder), path))) as T
  const { startServer } = await of<typeof servers>('bench/search/server.ts')
  const { load } = await of<typeof loading>('bench/search/load.ts')
  const { prepareSearch } = await of<typeof preparing>('bench/search/prepare.ts')
  const { ask } = await of<typeof running>('bench/search/speed/run.ts')
  // Until 2026 its folder was called db.
  const { inWorkspace } = await of<typeof scopes>(
    (await exists(join(folder, 'src/postgres/scope.ts'))) ? 'src/postgres/scope.ts' : 'src/db/scope.ts'
  )
  const server = await startServer({
    useDatabaseUrl: false,
    settings: { shared_buffers: '1GB', max_wal_size: '8GB' }
  })
  try {
    const { db: database, pool, close } = server.connect(AT_ONCE, 30_000)
    await load(pool, rows)
    const owner = server.asOwner()
    await prepareSearch(owner.db, server.url)
    await owner.close()
    const db = inWorkspace(database, 'default')
    return {
      described: server.described,
      pool,
      ask: (session_id, text) => ask(db, session_id, text),
      async stop() {
        await close()
        await server.stop()
      }
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false
  )
}
