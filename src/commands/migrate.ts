import { ConfigError } from '../config.js'
import * as migrations from '../db/migrate.js'
import { onOneConnection, open } from './open.js'
import { expectSignals } from './stop.js'

/** migrate up | down | status */
export async function migrate ([verb = 'up', ...rest]: string[]): Promise<void> {
  if (!['up', 'down', 'status'].includes(verb) || rest.length > 0) throw new ConfigError('Say one of: migrate up, migrate down, migrate status.')
  const tell = (line: string) => { console.error(line) }
  // A migration that has begun is finished, and the embedded PostgreSQL left properly, whatever signal comes.
  const signals = expectSignals()
  const opened = await open('join', tell)
  const { embedded } = opened
  for (const notice of embedded?.notices ?? []) tell(notice)
  try {
    await onOneConnection(opened, tell, signals, async ({ db }) => {
      if (verb === 'status') {
        for (const { name, applied } of await migrations.status(db)) console.log(`${applied ? 'applied' : 'missing'}  ${name}`)
        return
      }
      const done = verb === 'up' ? await migrations.up(db) : await migrations.down(db)
      for (const name of done) console.log(`${verb === 'up' ? 'applied' : 'taken back'}  ${name}`)
      if (done.length === 0) console.log(verb === 'up' ? 'Nothing to apply: the database is current.' : 'Nothing to take back.')
    })
  } finally {
    await embedded?.close()
  }
}
