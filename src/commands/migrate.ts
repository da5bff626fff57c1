import { ConfigError } from '../config.js'
import * as migrations from '../db/migrate.js'
import { onOneConnection, open } from './open.js'

/** migrate up | down | status */
export async function migrate ([verb = 'up', ...rest]: string[]): Promise<void> {
  if (!['up', 'down', 'status'].includes(verb) || rest.length > 0) throw new ConfigError('Say one of: migrate up, migrate down, migrate status.')
  const tell = (line: string) => { console.error(line) }
  const { url, replica, embedded } = await open('join', tell)
  for (const notice of embedded?.notices ?? []) tell(notice)
  try {
    await onOneConnection(url, replica, tell, async ({ db }) => {
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
