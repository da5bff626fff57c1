import type { Config } from '../config/config.js'
import { olderThan } from '../lifecycle/store/known.js'
import { type Retention, retentionOf, setRetention } from '../lifecycle/store/retention-setting.js'
import { RETENTION_DAYS_MAX } from '../lifecycle/retention-view.js'
import type { Db } from '../postgres/schema.js'
import { JSON_OUTPUT, UsageError, verb, type Verbs, WORKSPACE, YES } from './command.js'
import { confirm } from './confirm.js'
import { CommandError } from './failure.js'
import { needWorkspace, notice, withDatabase, workspaceOf, writeAuditRow } from './operator.js'
import { counted } from './table.js'

/** For each kind of data: its settings table, its audit event, and the server's variable. */
const KINDS = {
  data: { table: 'retention', event_type: 'retention_set', variable: 'RETENTION_DAYS', setting: 'retention_days' },
  audit: {
    table: 'audit_retention',
    event_type: 'audit_retention_set',
    variable: 'AUDIT_RETENTION_DAYS',
    setting: 'audit_retention_days'
  }
} as const
type Kind = keyof typeof KINDS

export const verbs: Verbs = {
  ...verbsOf('data', '', 'messages and closed sessions'),
  ...verbsOf('audit', 'audit ', 'audit rows')
}

/** @param before the word before the verbs of this kind */
function verbsOf(kind: Kind, before: string, what: string): Verbs {
  const { variable } = KINDS[kind]
  const show = verb({
    summary: `Shows how many days a workspace keeps ${what}.`,
    options: { workspace: WORKSPACE, json: JSON_OUTPUT },
    async run({ json, ...options }) {
      const workspace = workspaceOf(options)
      await withDatabase(async (db, config) => {
        await needWorkspace(db, workspace)
        await print(db, config, kind, workspace, json)
      })
    }
  })
  return {
    [before.trim()]: show,
    [`${before}show`]: show,
    [`${before}set`]: verb({
      summary: `Sets how many days a workspace keeps ${what}; 0: for ever. It asks before older ones are deleted.`,
      operands: ['<days>'],
      options: { workspace: WORKSPACE, yes: YES, json: JSON_OUTPUT },
      async run({ yes, json, ...options }, [text]) {
        const days = /^\d{1,5}$/.test(text) && Number(text) <= RETENTION_DAYS_MAX ? Number(text) : undefined
        if (days === undefined)
          throw new UsageError(`<days> must be a whole number from 0 to ${RETENTION_DAYS_MAX}; 0 keeps everything.`)
        await change(kind, workspaceOf(options), days, { yes, json })
      }
    }),
    [`${before}default`]: verb({
      summary: `Lets a workspace follow ${variable} again.`,
      options: { workspace: WORKSPACE, yes: YES, json: JSON_OUTPUT },
      async run({ yes, json, ...options }) {
        await change(kind, workspaceOf(options), undefined, { yes, json })
      }
    })
  }
}

/** @param days undefined: follow the server's setting */
async function change(
  kind: Kind,
  workspace: string,
  days: number | undefined,
  { yes, json }: { yes: boolean; json: boolean }
): Promise<void> {
  const { table, event_type, setting } = KINDS[kind]
  await withDatabase(async (db, config) => {
    await needWorkspace(db, workspace)
    const before = await retentionOf(db, table, workspace, config[setting])
    const going = await whatGoes(db, kind, workspace, days ?? config[setting], before)
    if (going !== undefined)
      await confirm(`With this the service deletes ${going} of the workspace ${workspace} within the hour.`, yes)
    await db.transaction().execute(async tx => {
      await setRetention(tx, table, workspace, days).catch((error: unknown) => {
        throw (error as { code?: unknown }).code === '42501' ? new CommandError(NOT_OWNER) : error
      })
      const verb = days === undefined ? 'default' : 'set'
      const action = `retention ${kind === 'audit' ? 'audit ' : ''}${verb}`
      await writeAuditRow(tx, workspace, action, { event_type, metadata: { days: days ?? 'server' } })
    })
    await print(db, config, kind, workspace, json)
    const then = going === undefined ? 'Nothing is so old' : `The service deletes ${going} within the hour`
    notice(`Before: ${inWords(before.days)}. ${then}.`)
  })
}

const NOT_OWNER =
  "The service's login may not change this. Set MIGRATION_DATABASE_URL to the login that owns the tables."

/** What a shorter retention deletes, in words; undefined if nothing is so old, or it was to be deleted before. */
async function whatGoes(
  db: Db,
  kind: Kind,
  workspace: string,
  days: number,
  before: Retention
): Promise<string | undefined> {
  if (days === 0 || (before.days !== 0 && days >= before.days)) return undefined
  const { messages, sessions, audit_rows } = await olderThan(db, KINDS[kind].table, workspace, days)
  const parts = [
    ...(messages > 0 ? [counted(messages, 'message')] : []),
    ...(sessions > 0 ? [counted(sessions, 'closed session')] : []),
    ...(audit_rows > 0 ? [`up to ${counted(audit_rows, 'audit row')}`] : [])
  ]
  return parts.length === 0 ? undefined : parts.join(' and ')
}

async function print(db: Db, config: Config, kind: Kind, workspace: string, json: boolean): Promise<void> {
  const { table, variable, setting } = KINDS[kind]
  const { days, source } = await retentionOf(db, table, workspace, config[setting])
  if (json) console.log(JSON.stringify({ workspace, of: kind, days, source }))
  else console.log(`${inWords(days)} (${source === 'workspace' ? 'set for this workspace' : variable})`)
  if (kind === 'audit' && days > 0 && config.audit_hmac_keys === undefined)
    notice('AUDIT_HMAC_KEY is not set. Without an audit chain, the service keeps all audit rows.')
}

function inWords(days: number): string {
  return days === 0 ? 'for ever' : counted(days, 'day')
}
