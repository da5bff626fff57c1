import type pg from 'pg'
import t, { type Test } from 'tap'
import { createDrain } from '../../src/audit/chain/drain.js'
import { auditKeys, signBeginning, type SignedHead } from '../../src/audit/chain/keys.js'
import { exportAudit } from '../../src/audit/chain/export.js'
import { verifyChain } from '../../src/audit/chain/verify.js'
import { acrossWorkspaces } from '../../src/postgres/scope.js'
import { openDatabase } from '../support/database.js'
import { holding, type Holding, waits } from '../support/holding.js'

/** What is dropped, or chained, between the statements of one reading. */

const keys = auditKeys(['a key for the audit log of tests, 0123456789'])
const LOCK = 'lock table audit_chain in access exclusive mode'
const WRITE = `insert into audit_log (workspace, event_type, action, result, request_id, metadata)
  values ('default', 'message_added', 'add_message', 'success', 'a request', '{}')`

async function opened(t: Test) {
  const { url, database, owner } = await openDatabase(t)
  const db = acrossWorkspaces(database.db)
  const drain = createDrain(db, keys)
  return {
    app: { url, database: database as never as { pool: pg.Pool } },
    db,
    write: () => owner.query(WRITE),
    /** Writes so many rows, and has them chained up to a head. */
    head: async (rows: number): Promise<SignedHead> => {
      for (let n = 0; n < rows; n++) await owner.query(WRITE)
      return (await drain.round({ head_ms: 0 })).heads[0] as SignedHead
    }
  }
}

t.test('rows that are dropped twice while the chain is verified are no fault', async t => {
  const { app, db, head } = await opened(t)
  const heads = [await head(3), await head(3)]
  await head(3)
  const drop = async (on: Holding, { workspace, seq, mac, signed_at }: SignedHead) => {
    const begun = signBeginning(keys.first, { workspace, seq, mac, begun_at: signed_at })
    const names = Object.keys(begun)
    await on.query(
      `insert into audit_beginnings (${names.join()}) values (${names.map((_, i) => `$${i + 1}`).join()})`,
      Object.values(begun)
    )
    await on.query('select drop_audit_rows($1, $2, 100)', [workspace, seq])
    await on.release()
  }
  const [first, second] = [await holding(t, app, LOCK), await holding(t, app)]
  const verifying = verifyChain(db, keys, 'default')
  await waits(app, 'from (select * from audit_chain')
  const inLine = second.query(LOCK)
  await waits(app, LOCK)
  await drop(first, heads[0] as SignedHead)
  await inLine
  await waits(app, 'from (select * from audit_chain')
  await drop(second, heads[1] as SignedHead)
  t.match(await verifying, { fault: null, first_seq: 7, rows: 3 })
})

t.test('a row that is chained during an export is in it once', async t => {
  const { db, head, write } = await opened(t)
  await head(2)
  await write()
  const lines: Array<Record<string, unknown>> = []
  await exportAudit(db, 'default', async line => {
    lines.push(line)
    // The chain has been read; what is not chained has not.
    if (line.type === 'head' && lines.length === 3) await head(0)
  })
  t.match(lines, [
    { type: 'row', seq: 1 },
    { type: 'row', seq: 2 },
    { type: 'head', seq: 2 },
    { type: 'row', seq: null }
  ])
})
