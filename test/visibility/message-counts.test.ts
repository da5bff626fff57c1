import { type CompiledQuery, Kysely, PostgresDialect } from 'kysely'
import t from 'tap'
import { connect } from '../../src/postgres/connect.js'
import { countReadable, EXACT_COUNT_MAX } from '../../src/visibility/message-counts.js'
import type { Schema } from '../../src/postgres/schema.js'
import { statistics } from '../../src/sessions/store/session-statistics.js'
import { createDatabase } from '../support/cluster.js'
import { optionsFor } from '../support/database.js'
import { lookedAt, type Plan } from '../support/looked-at.js'

/** What counting messages costs where most that is not public is not for who asks. */

const { url, drop } = await createDatabase()
t.teardown(drop)
const { pool, close } = connect(optionsFor(url, { max: 1 }))
t.teardown(close)
const asked: CompiledQuery[] = []
const db = new Kysely<Schema>({
  dialect: new PostgresDialect({ pool }),
  log: event => {
    asked.push(event.query)
  }
})

const ID = 'session_00000000000000aa'
const OWN = 7
const OF_TYPE = 5
await pool.query(`
  insert into sessions (id, purpose, created_by, last_seq, public_count) values ('${ID}', 'x', 'x', 40000, 0);
  insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility, metadata)
  select 'default', '${ID}', n, case when n <= ${OWN} then 'me' else 'agent-' || n % 50 end,
    case when n > 20000 and n <= 20000 + ${OF_TYPE} then 'mine' else 'other' end, 'x',
    case when n <= 20000 then 'private' else 'agent_only' end, '{}' from generate_series(1, 40000) n`)
/** Direct messages of others to others, of others to `me` and to its type, and of `me`. */
const ADDRESSED = 6
const SENT = 3
await pool.query(`
  update sessions set last_seq = 60000 where id = '${ID}';
  insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility, metadata, addressees)
  select 'default', '${ID}', n, case when n > 60000 - ${SENT} then 'me' else 'agent-' || n % 50 end, 'other', 'x',
    'direct', '{}', array[case when n <= 40000 + ${ADDRESSED} / 2 then 'me'
      when n <= 40000 + ${ADDRESSED} then 'type:mine' else 'somebody' end] from generate_series(40001, 60000) n;
  insert into inbox (workspace, message_id, name, session_id, seq, sender, direct)
  select workspace, id, addressees[1], session_id, seq, sender, true from messages where visibility = 'direct'`)
await pool.query('vacuum analyze messages, inbox')

const session = { id: ID, last_seq: 60_000, public_count: 0 }
const SEEN = OWN + OF_TYPE + ADDRESSED + SENT
const agent = (agent_id: string, agent_type: string, permissions: Array<'read' | 'admin'> = ['read']) => ({
  workspace: 'default',
  agent_id,
  agent_type,
  permissions
})

t.test('only what the viewer sees is looked at', async t => {
  asked.length = 0
  t.same(await countReadable(db, agent('me', 'mine'), session, {}), { count: SEEN, is_estimate: false })
  t.equal(asked.length, 1)
  const { sql, parameters } = asked[0] as CompiledQuery
  // As the service has it planned: once, for all viewers, and by indexes alone.
  await pool.query('set plan_cache_mode = force_generic_plan')
  await pool.query('set enable_seqscan = off')
  await pool.query(`prepare counting as ${sql}`)
  const {
    rows: [row]
  } = await pool.query<{ 'QUERY PLAN': Array<{ Plan: Plan }> }>(
    'explain (analyze, format json) execute counting ' +
      `(${parameters.map(value => (typeof value === 'string' ? `'${value}'` : String(value))).join(', ')})`
  )
  await pool.query('reset plan_cache_mode')
  await pool.query('reset enable_seqscan')
  const plan = row?.['QUERY PLAN'][0]?.Plan as Plan
  // Which of two indexes a join begins with is PostgreSQL's choice, by a sample of its own: so twice at most.
  t.ok(lookedAt(plan, 'messages') <= 2 * SEEN, JSON.stringify(plan))
})

t.test('beyond the exact count, part by part, an estimate', async t => {
  const { count, is_estimate } = await countReadable(db, agent('me', 'other'), session, {})
  t.ok(is_estimate)
  t.ok(count > EXACT_COUNT_MAX && count <= 60_000, String(count))
  const all = await countReadable(db, agent('root', 'x', ['read', 'admin']), session, {})
  t.same(all, { count: 60_000, is_estimate: true })
})

t.test('where the public ones are many, of the others no more than a sample is counted', async t => {
  const many = { id: 'session_00000000000000bb', last_seq: 30_000, public_count: 24_000 }
  await pool.query(`
    insert into sessions (id, purpose, created_by, last_seq, public_count)
      values ('${many.id}', 'x', 'x', ${many.last_seq}, ${many.public_count});
    insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility, metadata)
    select 'default', '${many.id}', n, 'me', 'other', 'x',
      case when n % 5 = 0 then 'private' else 'public' end, '{}' from generate_series(1, ${many.last_seq}) n`)
  await pool.query('vacuum analyze messages')
  t.same(
    await countReadable(db, agent('me', 'mine'), many, {}),
    { count: 30_000, is_estimate: true },
    'one in five, as in the sample'
  )
  t.same(await countReadable(db, agent('you', 'mine'), many, {}), { count: 24_000, is_estimate: false })
  const [listed] = await statistics(db, agent('me', 'mine'), [{ ...many, created_at: '' }])
  t.match(listed, { message_count: 30_000, message_count_is_estimate: true }, 'the same, wherever it is told')
})

t.test('an estimate is near what is there, however many are hidden and wherever the others stand', async t => {
  const cases = [
    { name: 'many public ones, and mine the newest', last_seq: 49_002, public_to: 24_000, mine_from: 47_000 },
    { name: 'mine the newest of all', last_seq: 60_000, public_to: 0, mine_from: 49_000 },
    { name: 'mine the oldest of all', last_seq: 60_000, public_to: 0, mine_from: 1, mine_to: 11_000 }
  ]
  for (const [i, { name, last_seq, public_to, mine_from, mine_to = last_seq }] of cases.entries()) {
    const id = `session_00000000000000c${i}`
    await pool.query(`
      insert into sessions (id, purpose, created_by, last_seq, public_count)
        values ('${id}', 'x', 'x', ${last_seq}, ${public_to});
      insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility, metadata)
      select 'default', '${id}', n, case when n between ${mine_from} and ${mine_to} then 'me' else 'other' end,
        'other', 'x', case when n <= ${public_to} then 'public' else 'private' end, '{}'
        from generate_series(1, ${last_seq}) n`)
    const visible = public_to + mine_to - mine_from + 1
    const { count, is_estimate } = await countReadable(
      db,
      agent('me', 'mine'),
      { id, last_seq, public_count: public_to },
      {}
    )
    t.ok(is_estimate, name)
    t.ok(count > visible / 2 && count < visible * 2, `${name}: ${count} for ${visible}`)
    const of_sender = await countReadable(
      db,
      agent('me', 'mine'),
      { id, last_seq, public_count: public_to },
      { sender: 'me' }
    )
    const mine = mine_to - mine_from + 1
    t.ok(of_sender.count > mine / 2 && of_sender.count < mine * 2, `${name}: ${of_sender.count} for ${mine}`)
  }
})
