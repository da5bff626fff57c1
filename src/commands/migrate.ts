import { ConfigError } from '../config/config.js'
import * as migrations from '../postgres/migrate.js'
import { bringUp, onOneConnection, open } from './open.js'
import { expectSignals } from './stop.js'

export const USAGE = 'Say one of: migrate up, migrate down, migrate status.'

/** migrate up | down | status */
export async function migrate([verb = 'up', ...rest]: string[]): Promise<void> {
  if (!['up', 'down', 'status'].includes(verb) || rest.length > 0) throw new ConfigError(USAGE)
  const tell = (line: string) => {
    console.error(line)
  }
  // A migration that has begun is finished, and the embedded PostgreSQL left properly, whatever signal comes.
  const signals = expectSignals()
  const opened = await open('join', tell)
  const { embedded } = opened
  for (const notice of embedded?.notices ?? []) tell(notice)
  try {
    if (verb === 'up') {
      const done = await bringUp(opened, tell, signals)
      for (const name of done) console.log(`applied  ${name}`)
      if (done.length === 0) console.log('Nothing to apply: the database is current.')
      return
    }
    await onOneConnection(opened, tell, signals, async db => {
      if (verb === 'status') {
        for (const { name, applied } of await migrations.status(db))
          console.log(`${applied ? 'applied' : 'missing'}  ${name}`)
        return
      }
      const done = await migrations.down(db)
      for (const name of done) console.log(`taken back  ${name}`)
      if (done.length === 0) console.log('Nothing to take back.')
    })
  } finally {
    await embedded?.close()
  }
}
