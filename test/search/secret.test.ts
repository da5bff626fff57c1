import pg from 'pg'
import t from 'tap'
import { connect, connectAsOwner } from '../../src/postgres/connect.js'
import { down, up } from '../../src/postgres/migrate.js'
import type { Db } from '../../src/postgres/schema.js'
import { inWorkspace } from '../../src/postgres/scope.js'
import { termHashes } from '../../src/search/secret.js'
import { type TermHash, termHash } from '../../src/search/term-hash.js'
import { termsOf, wordTerm } from '../../src/search/terms.js'
import { newSession, ok, startApp, type TestApp } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { optionsFor } from '../support/database.js'
import { indexAll } from '../support/index-all.js'
import { until } from '../support/until.js'

/** The terms of the index are hashed with a secret. */

function termsIn(hash: TermHash, texts: string[]): Int32Array {
  const taking = termsOf(hash, texts)
  for (;;) {
    const step = taking.next()
    if (step.done === true) return step.value.terms
  }
}

t.test('the hash is HalfSipHash-2-4, by the vectors of its authors', t => {
  // Of the bytes 0, 1, 2 …, as many as the index says, with the key 0, 1, 2 … 7; the first of them, of no bytes, no
  // term has.
  const published = `5b9f35a9 b85a4727 03a662fa 04e7fe8a 89466e2a 69b6fac5 23fc6358 c563cf8b
    8f84b8d0 79e706f8 3479b094 50300808 2f87f057 ff63e677 7cf8ffd6 972bfe74
    84acb5d9 5b6474c4 9b8d5b46 87e3ef7b 45104de3 b3623f61 fe67f370 bdb8ade6
    630c4027 75787826 5f7b564f 69e6b03a 004064b0 b40f67ff 8b339e50 1a9f585d
    1221e7fe 59327533 8c4f436a 29b728fe ecc65ce7`.split(/\s+/)
  const hash = termHash(Uint8Array.from({ length: 8 }, (_, i) => i))
  for (let bytes = 1; bytes < published.length; bytes++) {
    const text = String.fromCharCode(...Array.from({ length: bytes }, (_, i) => i))
    t.equal((hash(0, text.slice(1)) >>> 0).toString(16).padStart(8, '0'), published[bytes], `${bytes} bytes`)
  }
  t.end()
})

t.test('of letters of several bytes it takes all', t => {
  const hash = termHash(Buffer.from('eight by'))
  const texts = [
    'é',
    'É',
    'ß',
    'я',
    '世',
    '世界',
    '界世',
    '🚀',
    '🛸',
    'aé',
    'éa',
    'é ',
    '\u00c3\u00a9',
    '\u0100',
    '\u1000',
    '\ud83d',
    ''
  ]
  t.equal(new Set(texts.map(text => hash(1, text))).size, texts.length)
  t.equal(new Set('wchkyps'.split('').map(kind => hash(kind.charCodeAt(0), 'same'))).size, 7, 'each kind its own')
  t.end()
})

t.test('replicas of a database make the same terms; another database, and another workspace, others', async t => {
  const urls = await Promise.all(
    [1, 2].map(async () => {
      const { url, drop } = await createDatabase({ empty: true })
      t.teardown(drop)
      const owner = connectAsOwner(optionsFor(url, { max: 1 }))
      await up(owner.db)
      await owner.close()
      return url
    })
  )
  const [first = '', second = ''] = urls
  const terms = await Promise.all(
    [
      [first, 'a'],
      [first, 'a'],
      [first, 'b'],
      [second, 'a']
    ].map(async ([url = '', workspace = '']) => {
      const replica = connect(optionsFor(url, { max: 1 }))
      const hashes = await termHashes(inWorkspace(replica.db, workspace))
      await replica.close()
      return [...termsIn(hashes(workspace), ['the quokka sleeps', 'agent-1'])]
    })
  )
  const [one, replica, ...others] = terms as [number[], number[], number[], number[]]
  t.same(one, replica)
  for (const other of others)
    t.same(
      other.filter(term => one.includes(term)),
      []
    )
})

t.test('the secret can be read by the service, changed by nobody but the owner, and read by nobody else', async t => {
  const { url, drop } = await createDatabase()
  const database = connect(optionsFor(url, { max: 1 }))
  t.teardown(async () => {
    await database.close()
    await drop()
  })
  const service = inWorkspace(database.db, 'a')
  t.match(await service.selectFrom('search_secret').select('secret').execute(), [{ secret: { length: 32 } }])
  await t.rejects(
    service
      .updateTable('search_secret')
      .set({ secret: Buffer.alloc(32) })
      .execute(),
    { code: '42501' }
  )
  await t.rejects(service.deleteFrom('search_secret').execute(), { code: '42501' })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('create role scs_bystander nologin')
  const { rows } = await client.query(
    "select has_table_privilege('scs_bystander', 'search_secret', 'select, insert, update, delete') as may"
  )
  await client.query('drop role scs_bystander')
  t.same(rows, [{ may: false }])
})

t.test(
  'what was indexed before there was a secret is indexed anew, and what is indexed or written while that begins',
  async t => {
    const { url, drop } = await createDatabase({ empty: true })
    const { db, close } = connectAsOwner(optionsFor(url))
    const beside = new pg.Client({ connectionString: url })
    t.teardown(async () => {
      await beside.end()
      await close()
      await drop()
    })
    await beside.connect()
    await up(db)
    while ((await down(db))[0] !== '0016-search-secret');
    await beside.query(`
    insert into sessions (id, purpose, created_by) values ('session_0000000000000001', 'p', 'a');
    insert into messages (id, session_id, seq, sender, sender_type, content,
      visibility) overriding system value select n, 'session_0000000000000001', n, 'a', 'a', 'the quokka '
        || n, 'public' from generate_series(1, 4) n;
    set scs.workspace = '*';
    insert into message_terms (message_id, session_id, sender, sender_type, visibility, timestamp,
      terms) select id, session_id, sender, sender_type, visibility, timestamp, '{1}' from messages where id <= 2;
    insert into search_pending (session_id, message_id) select session_id, id from messages where id > 2`)
    // Somebody is indexing the third.
    await beside.query(`
    begin; delete from search_pending where message_id = 3;
    insert into message_terms (message_id, session_id, sender, sender_type, visibility, timestamp,
      terms) select id, session_id, sender, sender_type, visibility, timestamp, '{1}' from messages where id = 3`)
    const migrating = up(db)
    const writer = new pg.Client({ connectionString: url })
    await writer.connect()
    await until(
      async () =>
        (
          await writer.query(
            "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
          )
        ).rows.length > 0,
      'the migration waits for the lock'
    )
    // Whoever writes does not wait.
    await writer.query(`
    with written as (insert into messages (id, session_id, seq, sender, sender_type, content,
      visibility) overriding system value
        values (5, 'session_0000000000000001', 5, 'a', 'a', 'the quokka 5', 'public') returning session_id, id)
    insert into search_pending (session_id, message_id) select session_id, id from written`)
    await writer.end()
    await beside.query('commit')
    t.equal((await migrating)[0], '0016-search-secret')
    const { rows } = await beside.query('select message_id from search_pending order by 1')
    t.same(
      rows.map(({ message_id }) => Number(message_id)),
      [1, 2, 3, 4, 5]
    )
    await indexAll(db)
    const terms = await db.selectFrom('message_terms').select('terms').execute()
    t.equal(terms.filter(({ terms }) => terms.length > 1).length, 5)
  }
)

/** Two words of letters with one hash: such as nobody can make who has not the secret, but there are some. */
async function colliding(db: Db): Promise<[string, string]> {
  const hash = (await termHashes(db))('default')
  const byTerm = new Map<number, string>()
  for (let n = 1; ; n++) {
    let word = ''
    for (let rest = n * 7919 + 1e12; word.length < 11; rest = Math.floor(rest / 19) + n)
      word += 'bcdfghjklmnpqrstvwz'.charAt(rest % 19)
    const term = wordTerm(hash, word)
    const other = byTerm.get(term)
    if (other !== undefined && other !== word) return [other, word]
    byTerm.set(term, word)
  }
}

async function answers(app: TestApp, session_id: string, queries: string[]): Promise<unknown[]> {
  return Promise.all(
    queries.flatMap(query =>
      [0, 30, 60].map(async fuzzy_threshold => {
        const { search_time_ms: _, ...answer } = await ok(app, 'search_context', { session_id, query, fuzzy_threshold })
        return answer
      })
    )
  )
}

t.test('even words that do collide tell nothing of a private message by what an answer holds', async t => {
  const app = await startApp(t)
  const [guess, planted] = await colliding(app.database.db)
  const begun = guess.slice(0, 9)
  // Two letters of it are others: what is only looked for where the word as typed stands nowhere.
  const twoErrors = `${begun.slice(0, 2)}x${begun.slice(3, 6)}x${begun.slice(7)}`
  const session_id = await newSession(app)
  for (const content of [planted, `${planted} and more`, twoErrors])
    await ok(app, 'add_message', { session_id, content })
  const queries = [
    begun,
    guess,
    `${guess.slice(0, 4)}${guess.charAt(5)}${guess.charAt(4)}${guess.slice(6)}`,
    guess.slice(3),
    `${begun} more`
  ]
  const before = await answers(app, session_id, queries)
  t.match(before[2], { results: [{ message: { content: twoErrors } }] })
  const other = await newSession(app)
  await ok(
    app,
    'add_message',
    { session_id: other, content: `the ${guess} of Initech`, visibility: 'private' },
    { agent_id: 'boss', agent_type: 'boss' }
  )
  t.same(await answers(app, session_id, queries), before)
})
