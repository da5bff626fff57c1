import * as migrations from '../postgres/migrate.js'
import type { Db } from '../postgres/schema.js'
import { JSON_OUTPUT, verb, type Verbs, YES } from './command.js'
import { confirm } from './confirm.js'
import { type CommandContext, migrateDatabase, openContext, withOwnerConnection } from './open.js'
import { notice } from './operator.js'
import { handleSignals, type Signals } from './stop.js'

const up = verb({
  summary: 'Creates the database tables, or brings them up to date.',
  async run() {
    await withMigrations(async (context, signals) => {
      const done = await migrateDatabase(context, notice, signals)
      for (const name of done) console.log(`applied  ${name}`)
      if (done.length === 0) console.log('Nothing to apply: the database is up to date.')
    })
  }
})

export const verbs: Verbs = {
  '': up,
  up,
  down: verb({
    summary: 'Reverts the last migration, and deletes the data it added.',
    options: { yes: YES },
    async run({ yes }) {
      await withOwner(async db => {
        const last = (await migrations.status(db)).findLast(({ applied }) => applied)
        if (last === undefined) return console.log('Nothing to revert.')
        await confirm(`This reverts the migration ${last.name} and deletes the data it added.`, yes)
        for (const name of await migrations.down(db)) console.log(`reverted  ${name}`)
      })
    }
  }),
  status: verb({
    summary: 'Shows which migrations the database has.',
    options: { json: JSON_OUTPUT },
    async run({ json }) {
      await withOwner(async db => {
        for (const { name, applied } of await migrations.status(db))
          console.log(json ? JSON.stringify({ name, applied }) : `${applied ? 'applied' : 'missing'}  ${name}`)
      })
    }
  })
}

/** A signal does not interrupt a running migration. The embedded PostgreSQL is closed properly. */
async function withMigrations(work: (context: CommandContext, signals: Signals) => Promise<void>): Promise<void> {
  const signals = handleSignals()
  const context = await openContext('join', notice, 'database')
  for (const line of context.embedded?.notices ?? []) notice(line)
  try {
    await work(context, signals)
  } catch (error) {
    await context.embedded?.close()
    signals.endStart(error)
  } finally {
    await context.embedded?.close()
  }
}

function withOwner(work: (db: Db) => Promise<void>): Promise<void> {
  return withMigrations((context, signals) => withOwnerConnection(context, notice, signals, work))
}
