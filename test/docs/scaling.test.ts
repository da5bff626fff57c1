import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { administer } from '../support/database.js'

t.test('docs/scaling.md names what stands between the schema and Citus, as the catalogue has it', async t => {
  const page = readFileSync(join(ROOT, 'docs', 'scaling.md'), 'utf8')
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  const blocks = [...page.matchAll(/```sql\n(select [^]*?)```\n\n([^]*?)(?=\n\n)/g)]
  t.equal(blocks.length, 3)
  for (const [, statement = '', list = ''] of blocks) {
    const rows = (await administer(url, statement)) as Array<{ name: string }>
    t.ok(rows.length > 3)
    t.same(
      [...list.replace(/\s+/g, ' ').matchAll(/`([^`]+)`/g)].map(([, name]) => name).sort(),
      rows.map(({ name }) => name).sort()
    )
  }
})
