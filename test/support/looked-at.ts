import type pg from 'pg'
import { connect } from '../../src/postgres/connect.js'
import { guardPool } from '../../src/postgres/guarded-pool.js'
import { queryWithPrefix } from '../../src/postgres/pg-internals.js'
import type { Db } from '../../src/postgres/schema.js'
import { inWorkspace, unscoped } from '../../src/postgres/scope.js'
import type { RunStatement } from '../../src/postgres/scoped-connection.js'
import { createDatabase } from './cluster.js'
import { optionsFor } from './database.js'

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: Plan[]
}

/** What statements have really done. */
export interface Work {
  /** Rows of messages that were looked at. */
  rows: number
  /** Receipts that were looked at. */
  receipts: number
  /** Whether messages were read from their beginning to their end. */
  scanned: boolean
  statements: number
}

const NOTHING: Work = { rows: 0, receipts: 0, scanned: false, statements: 0 }

/** A database of its own, in which the work of each statement of `db` is counted. */
export async function countedDatabase(t: { teardown: (fn: () => unknown) => unknown }): Promise<{
  db: Db
  pool: pg.Pool
  /** What has been done since it was last asked. */
  work: () => Work
}> {
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  const { pool, installation, close } = connect(optionsFor(url))
  t.teardown(close)
  let done: Work = { ...NOTHING }

  function judge(plan: Plan): void {
    const looked = (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
    if (plan['Relation Name'] === 'receipts') done.receipts += looked
    if (plan['Relation Name'] === 'messages') {
      done.rows += looked
      if (plan['Node Type'] === 'Seq Scan' && plan['Actual Loops'] > 0) done.scanned = true
    }
    plan.Plans?.forEach(judge)
  }
  const explaining: RunStatement = async (client, prefix, statement) => {
    const { text, values } = statement
    const { rows } = await queryWithPrefix<{ 'QUERY PLAN': Array<{ Plan: Plan }> }>(client, prefix, {
      text: `explain (analyze, format json) ${text}`,
      values
    })
    judge((rows[0] as { 'QUERY PLAN': Array<{ Plan: Plan }> })['QUERY PLAN'][0]?.Plan as Plan)
    done.statements++
    return queryWithPrefix(client, prefix, statement)
  }
  return {
    db: inWorkspace(unscoped(guardPool(pool), installation, explaining), 'default'),
    pool,
    work() {
      const last = done
      done = { ...NOTHING }
      return last
    }
  }
}
