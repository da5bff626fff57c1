import { ConfigError } from '../config/config.js'
import * as migrations from '../postgres/migrate.js'
import { migrateDatabase, withOwnerConnection, openContext } from './open.js'
import { handleSignals } from './stop.js'

export const USAGE = 'Usage: migrate up, migrate down, or migrate status.'

/**
 * migrate up | down | status
 * @throws ConfigError if the arguments are wrong
 */
export async function migrate([verb = 'up', ...rest]: string[]): Promise<void> {
  if (!['up', 'down', 'status'].includes(verb) || rest.length > 0) throw new ConfigError(USAGE)
  const log = (line: string) => {
    console.error(line)
  }
  // A signal does not interrupt a running migration, and the embedded PostgreSQL is closed properly.
  const signals = handleSignals()
  const context = await openContext('join', log, 'database')
  const { embedded } = context
  for (const notice of embedded?.notices ?? []) log(notice)
  try {
    if (verb === 'up') {
      const done = await migrateDatabase(context, log, signals)
      for (const name of done) console.log(`applied  ${name}`)
      if (done.length === 0) console.log('Nothing to apply: the database is up to date.')
      return
    }
    await withOwnerConnection(context, log, signals, async db => {
      if (verb === 'status') {
        for (const { name, applied } of await migrations.status(db))
          console.log(`${applied ? 'applied' : 'missing'}  ${name}`)
        return
      }
      const done = await migrations.down(db)
      for (const name of done) console.log(`reverted  ${name}`)
      if (done.length === 0) console.log('Nothing to revert.')
    })
  } finally {
    await embedded?.close()
  }
}
