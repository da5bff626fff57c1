import t from 'tap'
import { changesForMany } from '../../src/feed/store/feed.js'
import type { Agent } from '../../src/kernel/agent.js'
import { inWorkspace } from '../../src/postgres/scope.js'
import { newSession, ok, startApp, type TestApp } from '../helper.js'
import { openService } from '../support/database.js'
import { type Holding, holding, waits } from '../support/holding.js'

/** What changes between the statements of one answer. */

const app = await startApp(t)
/** Of the statement that reads messages. */
const READS = 'select last_seq, public_count from sessions'

/** Gives a lock to the next one, which is in line behind what waits for it now: that gets in between, once. */
async function handOver(app: TestApp, from: Holding, to: Holding, lock: string): Promise<void> {
  const locked = to.query(lock)
  await waits(app, lock)
  await from.release()
  await locked
}

t.test('a task that changes while a reader is told of what came is told too, now or next time', async t => {
  const session_id = await newSession(app)
  await ok(app, 'add_message', { session_id, content: 'hello' })
  const held = await holding(t, app, 'lock table messages in access exclusive mode')
  const answer = ok(app, 'wait_for_messages', { session_id, after_seq: 0, timeout_seconds: 0 })
  await waits(app, READS)
  const { task } = await ok(app, 'create_task', { title: 'do it', session_id })
  await held.release()
  const { last_seq, tasks = [] } = await answer
  const next = await ok(app, 'wait_for_messages', { session_id, after_seq: last_seq, timeout_seconds: 0 })
  t.same(
    [...tasks, ...(next.tasks ?? [])].map(({ task_id }: { task_id: string }) => task_id),
    [task.task_id]
  )
})

t.test('who comes to wait while the session is closed does not wait for what cannot come', async t => {
  const session_id = await newSession(app)
  await ok(app, 'add_message', { session_id, content: 'by another', visibility: 'private' }, { agent_id: 'other' })
  const held = await holding(t, app, 'lock table messages in access exclusive mode')
  const answer = ok(app, 'wait_for_messages', { session_id, after_seq: 0, sender: 'other', timeout_seconds: 20 })
  await waits(app, READS)
  await held.query('update sessions set is_active = false, last_seq = last_seq + 1 where id = $1', [session_id])
  await held.query(
    `insert into session_changes (workspace, session_id, seq, kind, changed_by)
      select workspace, id, last_seq, 'session_updated', 'agent-1' from sessions where id = $1`,
    [session_id]
  )
  await held.release()
  t.match(await answer, { is_active: false, timed_out: false, last_seq: 2 })
})

t.test('a wait that ends between the closing and what came after it says that there is more', async t => {
  const app = await startApp(t)
  const session_id = await newSession(app)
  await ok(app, 'add_message', { session_id, content: 'by another', visibility: 'private' }, { agent_id: 'other' })
  const lock = 'lock table messages in access exclusive mode'
  const [first, second, third] = [await holding(t, app, lock), await holding(t, app), await holding(t, app)]
  const answer = ok(app, 'wait_for_messages', { session_id, after_seq: 0, sender: 'other', timeout_seconds: 50 })
  await waits(app, READS)
  const messages = 300
  await first.query('update sessions set is_active = false, last_seq = last_seq + 1 + $2 where id = $1', [
    session_id,
    messages
  ])
  await first.query(
    `insert into session_changes (workspace, session_id, seq, kind, changed_by)
      select workspace, id, 2, 'session_updated', 'agent-1' from sessions where id = $1`,
    [session_id]
  )
  await first.query(
    `insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility)
      select workspace, id, 2 + n, 'agent-1', 'custom', 'another', 'public'
      from sessions, generate_series(1, $2) n where id = $1`,
    [session_id, messages]
  )
  // Each waits for the one before it, so the service reads one page between two of them.
  await handOver(app, first, second, lock)
  await waits(app, 'with viewer as materialized')
  await handOver(app, second, third, lock)
  await waits(app, 'with viewer as materialized')
  const closed = app.server.close()
  t.match(await answer, { count: 0, is_active: false, has_more: true })
  await third.release()
  await closed
})

t.test('who is told that a session is closed has been told all that was written in it', async t => {
  const session_id = await newSession(app)
  await ok(app, 'update_session', { session_id, purpose: 'another' })
  const db = inWorkspace(openService(t, app.url, { max: 2 }).db, 'default')
  const viewer: Agent = { workspace: 'default', agent_id: 'eve', agent_type: 'custom', permissions: ['read'] }
  const lock = 'lock table sessions in access exclusive mode'
  const held = await holding(t, app, lock)
  const reading = changesForMany(db, [viewer], session_id, 0, 100)
  await waits(app, 'with viewer as materialized')
  // In line behind the first statement of the reading, and before its second.
  const last = await holding(t, app)
  await handOver(app, held, last, lock)
  await waits(app, 'from "sessions"')
  await last.query(
    'update sessions set is_active = false, archived_at = now(), last_seq = last_seq + 2 where id = $1',
    [session_id]
  )
  await last.query(
    `insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility)
      select workspace, id, last_seq - 1, 'agent-1', 'custom', 'the last word', 'public' from sessions where id = $1`,
    [session_id]
  )
  await last.query(
    `insert into session_changes (workspace, session_id, seq, kind, changed_by)
      select workspace, id, last_seq, 'session_updated', 'agent-1' from sessions where id = $1`,
    [session_id]
  )
  await last.release()
  const page = await reading
  t.match(page?.changesOf(0), [{ seq: 1, type: 'session_updated', session: { is_active: true, archived_at: null } }])
  const next = await changesForMany(db, [viewer], session_id, 1, 2)
  t.match(next?.changesOf(0), [{ seq: 2, type: 'message_added' }])
  t.match((await changesForMany(db, [viewer], session_id, 2, 100))?.changesOf(0), [{ seq: 3, type: 'session_closed' }])
  t.same(
    (await changesForMany(db, [viewer], session_id, 0, 2))?.changesOf(0).map(({ seq }) => seq),
    [2],
    'told once'
  )
})

t.test('a session of two agents that is deleted while its change is told is shown to nobody else', async t => {
  const { session_id } = await ok(app, 'ask', { to: 'bob', content: 'well?', timeout_seconds: 0 }, { agent_id: 'ada' })
  await ok(app, 'update_session', { session_id, purpose: 'between us' }, { agent_id: 'ada' })
  const db = inWorkspace(openService(t, app.url, { max: 2 }).db, 'default')
  const eve: Agent = { workspace: 'default', agent_id: 'eve', agent_type: 'custom', permissions: ['read'] }
  // Each waits for the one before it: the deletion comes in after whatever reads the session first.
  const lock = 'lock table sessions in access exclusive mode'
  const [first, second, third] = [await holding(t, app, lock), await holding(t, app), await holding(t, app)]
  const page = changesForMany(db, [eve], session_id, 0, 100)
  await waits(app, 'with viewer as materialized')
  await handOver(app, first, second, lock)
  await waits(app, 'from "sessions"')
  await handOver(app, second, third, lock)
  await third.query('delete from sessions where id = $1', [session_id])
  await third.release()
  t.same((await page)?.changesOf(0) ?? [], [])
})
