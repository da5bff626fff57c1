import { ConfigError } from '../config/config.js'
import { retentionOf, setRetention } from '../lifecycle/store/retention-setting.js'
import { RETENTION_DAYS_MAX } from '../lifecycle/retention-view.js'
import { parseWorkspaceOption, withDatabase, writeAuditRow } from './operator.js'

export const USAGE = `Usage, for messages and closed sessions:
  retention show
  retention set <days>       0: keep everything
  retention default          follow RETENTION_DAYS
For audit rows:
  retention audit show
  retention audit set <days>
  retention audit default    follow AUDIT_RETENTION_DAYS
Each takes --workspace <name>; the workspace is default unless named.`

const NOT_OWNER =
  "The service's login may not change this. Set MIGRATION_DATABASE_URL to the login that owns the tables."

/** For each kind of data: its settings table, its audit event, and the server's variable. */
const SETTINGS = {
  data: { table: 'retention', event_type: 'retention_set', variable: 'RETENTION_DAYS', setting: 'retention_days' },
  audit: {
    table: 'audit_retention',
    event_type: 'audit_retention_set',
    variable: 'AUDIT_RETENTION_DAYS',
    setting: 'audit_retention_days'
  }
} as const

/**
 * retention [audit] show | set <days> | default: shows or changes how many days a workspace keeps messages and closed
 * sessions, or its audit rows.
 * @throws ConfigError if the arguments are wrong, or the login may not change the setting
 */
export async function retention(args: string[]): Promise<void> {
  const { positionals, workspace } = parseWorkspaceOption(args, USAGE)
  const isAudit = positionals[0] === 'audit'
  const { table, event_type, variable, setting } = SETTINGS[isAudit ? 'audit' : 'data']
  const [verb = 'show', daysText, ...more] = isAudit ? positionals.slice(1) : positionals
  const days =
    daysText !== undefined && /^\d{1,5}$/.test(daysText) && Number(daysText) <= RETENTION_DAYS_MAX
      ? Number(daysText)
      : undefined
  if (
    !['show', 'set', 'default'].includes(verb) ||
    more.length > 0 ||
    (verb === 'set') !== (days !== undefined) ||
    (verb !== 'set' && daysText !== undefined)
  )
    throw new ConfigError(USAGE)
  await withDatabase(async (db, config) => {
    if (verb !== 'show') {
      await db.transaction().execute(async tx => {
        await setRetention(tx, table, workspace, days).catch((error: unknown) => {
          throw (error as { code?: unknown }).code === '42501' ? new ConfigError(NOT_OWNER) : error
        })
        const metadata = { days: days ?? 'server' }
        await writeAuditRow(tx, workspace, `retention ${verb}`, { event_type, metadata })
      })
    }
    const current = await retentionOf(db, table, workspace, config[setting])
    console.log(
      `${current.days === 0 ? 'for ever' : `${current.days} days`} ` +
        `(${current.source === 'workspace' ? 'set for this workspace' : variable})`
    )
    if (isAudit && current.days > 0 && config.audit_hmac_keys === undefined)
      console.error('AUDIT_HMAC_KEY is not set. Without an audit chain, the service keeps all audit rows.')
  })
}
