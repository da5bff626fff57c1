import { ConfigError, loadConfig } from '../config.js'
import * as audit from '../db/audit.js'
import { retentionOf, setRetention } from '../db/life/retention.js'
import { RETENTION_DAYS_MAX } from '../tools/retention-view.js'
import { byOperator, withDatabase, wordsAndWorkspace } from './operator.js'

const USAGE = 'Say one of: retention show, retention set <days> (0: keep everything), retention default (what RETENTION_DAYS says); with --workspace <name> for another workspace than default.'

/** retention show | set <days> | default: how long a workspace keeps messages and closed sessions. */
export async function retention (args: string[]): Promise<void> {
  const { words: [verb = 'show', given, ...more], workspace } = wordsAndWorkspace(args, USAGE)
  const days = given !== undefined && /^\d{1,5}$/.test(given) && Number(given) <= RETENTION_DAYS_MAX ? Number(given) : undefined
  if (!['show', 'set', 'default'].includes(verb) || more.length > 0 || (verb === 'set') !== (days !== undefined) || (verb !== 'set' && given !== undefined)) throw new ConfigError(USAGE)
  await withDatabase(async db => {
    if (verb !== 'show') {
      await db.transaction().execute(async tx => {
        await setRetention(tx, workspace, days)
        await audit.write(tx, byOperator(workspace, `retention ${verb}`, { event_type: 'retention_set', metadata: { days: days ?? 'server' } }))
      })
    }
    const now = await retentionOf(db, workspace, loadConfig(process.env).retention_days)
    console.log(`${now.days === 0 ? 'for ever' : `${now.days} days`} (${now.source === 'workspace' ? 'set for this workspace' : 'RETENTION_DAYS'})`)
  })
}
