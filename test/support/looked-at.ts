import type pg from 'pg'
import { connect } from '../../src/postgres/connect.js'
import { guardPool } from '../../src/postgres/guarded-pool.js'
import { queryWithPrefix } from '../../src/postgres/pg-internals.js'
import type { Db } from '../../src/postgres/schema.js'
import { inWorkspace, unscoped } from '../../src/postgres/scope.js'
import type { RunStatement } from '../../src/postgres/scoped-connection.js'
import { createDatabase } from './cluster.js'
import { optionsFor } from './database.js'

/** A plan as `explain (analyze, format json)` tells it. */
export interface Plan {
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
  /** Words of the vocabulary of search that were looked at. */
  words: number
  /** Whether messages were read from their beginning to their end. */
  scanned: boolean
  statements: number
}

const NOTHING: Work = { rows: 0, receipts: 0, words: 0, scanned: false, statements: 0 }

/** Rows of a table that one step of a plan looked at. PostgreSQL tells the average of its rounds. */
function lookedAtHere(plan: Plan, table: string): number {
  if (plan['Relation Name'] !== table) return 0
  return (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
}

/** Rows of a table that all steps of a plan looked at. */
export function lookedAt(plan: Plan, table: string): number {
  return (plan.Plans ?? []).reduce((sum, inner) => sum + lookedAt(inner, table), lookedAtHere(plan, table))
}

/** A database of its own, in which the work of each statement of `db` is counted. */
export async function countedDatabase(t: { teardown: (fn: () => unknown) => unknown }): Promise<{
  db: Db
  pool: pg.Pool
  /** For connections whose statements are not counted, and may write. */
  url: string
  /** What has been done since it was last asked. */
  work: () => Work
}> {
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  const { pool, installation, close } = connect(optionsFor(url))
  t.teardown(close)
  let done: Work = { ...NOTHING }

  function scans(plan: Plan): boolean {
    const here = plan['Relation Name'] === 'messages' && plan['Node Type'] === 'Seq Scan' && plan['Actual Loops'] > 0
    return here || (plan.Plans ?? []).some(scans)
  }
  const explaining: RunStatement = async (client, prefix, statement) => {
    const { text, values } = statement
    const { rows } = await queryWithPrefix<{ 'QUERY PLAN': Array<{ Plan: Plan }> }>(client, prefix, {
      text: `explain (analyze, format json) ${text}`,
      values
    })
    const plan = rows[0]?.['QUERY PLAN'][0]?.Plan as Plan
    done.rows += lookedAt(plan, 'messages')
    done.receipts += lookedAt(plan, 'receipts')
    done.words += lookedAt(plan, 'search_words_rows')
    done.scanned ||= scans(plan)
    done.statements++
    return queryWithPrefix(client, prefix, statement)
  }
  return {
    db: inWorkspace(unscoped(guardPool(pool), installation, explaining), 'default'),
    pool,
    url,
    work() {
      const last = done
      done = { ...NOTHING }
      return last
    }
  }
}
