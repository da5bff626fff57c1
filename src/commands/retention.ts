import { ConfigError } from '../config/config.js'
import * as audit from '../audit/store/rows.js'
import { retentionOf, setRetention } from '../lifecycle/store/retention-setting.js'
import { RETENTION_DAYS_MAX } from '../lifecycle/retention-view.js'
import { byOperator, withDatabase, wordsAndWorkspace } from './operator.js'

export const USAGE = `Say one of:
  retention show, retention set <days> (0: keep everything), retention default (what RETENTION_DAYS says): messages and closed sessions
  retention audit show, retention audit set <days>, retention audit default (what AUDIT_RETENTION_DAYS says): audit rows
with --workspace <name> for another workspace than default.`

const NOT_OWNER =
  'The login of the service may not set this: run the command with MIGRATION_DATABASE_URL, the owner of the tables.'

/** What is kept: how it is set, and what its audit row and the server's variable are called. */
const kinds = {
  data: { table: 'retention', event_type: 'retention_set', variable: 'RETENTION_DAYS', setting: 'retention_days' },
  audit: {
    table: 'audit_retention',
    event_type: 'audit_retention_set',
    variable: 'AUDIT_RETENTION_DAYS',
    setting: 'audit_retention_days'
  }
} as const

/**
 * retention [audit] show | set <days> | default: how long a workspace keeps messages and closed sessions, or its audit
 * rows.
 */
export async function retention(args: string[]): Promise<void> {
  const { words, workspace } = wordsAndWorkspace(args, USAGE)
  const ofAudit = words[0] === 'audit'
  const { table, event_type, variable, setting } = kinds[ofAudit ? 'audit' : 'data']
  const [verb = 'show', given, ...more] = ofAudit ? words.slice(1) : words
  const days =
    given !== undefined && /^\d{1,5}$/.test(given) && Number(given) <= RETENTION_DAYS_MAX ? Number(given) : undefined
  if (
    !['show', 'set', 'default'].includes(verb) ||
    more.length > 0 ||
    (verb === 'set') !== (days !== undefined) ||
    (verb !== 'set' && given !== undefined)
  )
    throw new ConfigError(USAGE)
  await withDatabase(async (db, config) => {
    if (verb !== 'show') {
      await db.transaction().execute(async tx => {
        await setRetention(tx, table, workspace, days).catch((error: unknown) => {
          throw (error as { code?: unknown }).code === '42501' ? new ConfigError(NOT_OWNER) : error
        })
        await audit.write(
          tx,
          byOperator(workspace, `retention ${verb}`, { event_type, metadata: { days: days ?? 'server' } })
        )
      })
    }
    const now = await retentionOf(db, table, workspace, config[setting])
    console.log(
      `${now.days === 0 ? 'for ever' : `${now.days} days`} (${now.source === 'workspace' ? 'set for this workspace' : variable})`
    )
    if (ofAudit && now.days > 0 && config.audit_hmac_keys === undefined)
      console.error('AUDIT_HMAC_KEY is not set: without a chain, audit rows stay all the same.')
  })
}
