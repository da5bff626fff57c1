import { sql } from 'kysely'
import { headLine, type SignedHead } from './keys.js'
import type { Db } from '../../postgres/schema.js'
import { inSnapshot } from '../../postgres/scope.js'
import { beginningOf } from './heads.js'
import { coveredColumns, type CoveredRow, isChained, textsOf } from './rows.js'

/** Rows of one query. */
const PAGE = 1000

type ExportedRow = CoveredRow & { seq: number | null; key_id: string | null; mac: Buffer | null; at: string | null }

type Line = Record<string, unknown>

/**
 * Exports a workspace's audit log in the order of its chain, one object for each line: the beginning if rows were
 * dropped, the rows with seq and mac, each head after its row, and last the unchained rows. The field `covered` of a
 * row holds the texts that its mac covers. All of it is as of one moment: a row that is chained meanwhile would
 * otherwise be in neither part.
 */
export async function exportAudit(db: Db, workspace: string, write: (line: Line) => Promise<void>): Promise<void> {
  await inSnapshot(db, async tx => {
    for await (const line of linesOfLog(tx, workspace)) await write(line)
  })
}

async function* linesOfLog(db: Db, workspace: string): AsyncGenerator<Line> {
  const beginning = await beginningOf(db, workspace)
  if (beginning !== undefined)
    yield {
      type: 'beginning',
      ...beginning,
      mac: beginning.mac.toString('hex'),
      signature: beginning.signature.toString('hex')
    }
  for (let seq = beginning?.seq ?? 0; ;) {
    const { rows } = await sql<ExportedRow>`
      select c.seq, c.key_id, c.mac, ${coveredColumns('a')}, a.timestamp as at
      from (select * from audit_chain where workspace = ${workspace} and seq > ${seq} order by seq limit ${PAGE}) c
      left join lateral (select * from audit_log where id = c.audit_id limit 1) a on true
      order by c.seq`.execute(db)
    const last = rows.at(-1)?.seq
    if (last === undefined || last === null) break
    const heads = await db
      .selectFrom('audit_heads')
      .where('workspace', '=', workspace)
      .where('seq', '>', seq)
      .where('seq', '<=', last)
      .orderBy('seq')
      .selectAll()
      .execute()
    yield* linesOf(rows, heads)
    seq = last
  }
  for (let id = 0; ;) {
    const { rows } = await sql<ExportedRow>`
      select null as seq, null as key_id, null as mac, ${coveredColumns('a')}, a.timestamp as at from audit_log a
      where a.id > ${id} and a.workspace = ${workspace} and not ${isChained('a')} order by a.id limit ${PAGE}`.execute(
      db
    )
    if (rows.length === 0) return
    yield* linesOf(rows, [])
    id = Number(rows.at(-1)?.id)
  }
}

function* linesOf(rows: readonly ExportedRow[], heads: SignedHead[]): Generator<Line> {
  for (const row of rows) {
    const { seq, key_id, mac, at, id, metadata, ...columns } = row
    yield id === null
      ? { type: 'missing', workspace: heads[0]?.workspace, seq, key_id, mac: mac?.toString('hex') }
      : {
          type: 'row',
          seq,
          key_id,
          mac: mac?.toString('hex') ?? null,
          ...columns,
          id: Number(id),
          timestamp: at,
          metadata: JSON.parse(metadata as string) as unknown,
          covered: textsOf(row)
        }
    while (seq !== null && heads[0] !== undefined && heads[0].seq <= seq)
      yield { type: 'head', ...headLine(heads.shift() as SignedHead) }
  }
}
