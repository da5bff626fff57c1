import t from 'tap'
import { inWorkspace } from '../../src/postgres/scope.js'
import { search } from '../../src/search/search.js'
import { openService } from '../support/database.js'
import { indexAll } from '../support/index-all.js'
import { countedDatabase } from '../support/looked-at.js'

/**
 * Words that nobody has written are looked for in a vocabulary of variants of one word, which has no statistics yet.
 */

const { db, pool, url, work } = await countedDatabase(t)
for (const table of ['messages_rows', 'message_terms_rows', 'search_words_rows', 'search_pending'])
  await pool.query(`alter table if exists ${table} set (autovacuum_enabled = off)`)
const SESSION = 'session_0000000000000001'
const VARIANTS = 4000
const letters = 'bcdfghjklmnpqrstvwxz'
const letter = (n: number) => letters.charAt(Math.floor(n) % 20)
const variant = (n: number) => `quokk${letter(n)}${letter(n / 20)}${letter(n / 400)}${letter(n / 8000)}a`
const me = { workspace: 'default', agent_id: 'me', agent_type: 'blue', permissions: ['read' as const] }

await pool.query(
  `insert into sessions (id, purpose, created_by, last_seq, public_count)
    values ('${SESSION}', 'p', 'me', ${VARIANTS}, ${VARIANTS})`
)
await pool.query(
  `with added as (
    insert into messages (session_id, seq, sender, sender_type, content, visibility)
    select '${SESSION}', n, 'me', 'blue', content, 'public' from unnest($1::text[]) with ordinality of (content, n)
    returning id)
  insert into search_pending (message_id, session_id) select id, '${SESSION}' from added
  on conflict do nothing`,
  [Array.from({ length: VARIANTS }, (_, n) => variant(n))]
)
const uncounted = inWorkspace(openService(t, url).db, 'default')
await indexAll(uncounted)

t.test('four of them, each two letters away from many', async t => {
  const query = [1, 84, 167, 250].map(n => variant(n).replace(/.a$/, 'ye')).join(' ')
  const filter = { session_id: SESSION, scope: 'all' as const, search_metadata: true }
  work()
  await search(db, me, query, filter, 60, 10)
  const { words } = work()
  t.ok(words > 100, `${words} words are looked at`)
  t.ok(words < 2 * VARIANTS + 500, `${words} words are looked at`)
})
