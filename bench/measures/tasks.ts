import type { Bench, Finding } from '../kit/bench.js'
import { addMessages, CONNECTIONS, rest, senders, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide, type Side } from '../kit/rounds.js'
import { type Served, served } from './with.js'

/** Tasks for a second: more than can be claimed. */
const TASKS_PER_SECOND = 8000
/** What stands in a request for what the claim before it has answered; a number, since it stands where one does. */
const TASK_ID = 'task_################'
const TOKEN = 1_111_111_111_111_111
const SLOTS = [
  { text: TASK_ID, find: '"task_id":"(task_[0-9a-f]{16})"' },
  { text: String(TOKEN), find: '"lease":\\{"token":(\\d+)' }
]

/**
 * Workers that claim a task and complete it, one after the other, against add_message: with the tasks in a session for
 * each worker, and with all in one queue without a session.
 */
export async function tasks(bench: Bench): Promise<Finding> {
  const place = await served(bench, 'tasks')
  const { service, tokens, sessions, end } = place
  await bench.load.prepare('messages', { senders: addMessages(service.port, tokens, sessions), expect: SUCCESS })
  const own = 'claim and complete, own sessions'
  const one = 'claim and complete, one queue'
  const measured = await alternate(bench, [
    await claimSide(bench, place, own, sessions),
    loadSide(bench, 'add_message', 'messages', [service]),
    await claimSide(bench, place, one, [])
  ])
  await end()
  return {
    rows: [
      ratioRow(
        `claim_task, then complete_task ÷ add_message, ${CONNECTIONS} workers`,
        measured,
        own,
        'add_message',
        0.5
      ),
      ratioRow('the same, all workers on one queue', measured, one, 'add_message', 0.5)
    ],
    notes: sideNotes(measured).map(note => `tasks: ${note}`)
  }
}

/** @param sessions of the tasks, shared out among the workers; none: the tasks belong to no session */
async function claimSide(
  bench: Bench,
  { service, tokens, database }: Served,
  name: string,
  sessions: string[]
): Promise<Side> {
  await bench.load.prepare(name, {
    senders: senders(
      service.port,
      (connection, n) => {
        const token = tokens[connection % tokens.length] as string
        return n === 0
          ? rest('claim_task', { session_id: sessions[connection % sessions.length] }, token)
          : rest('complete_task', { task_id: TASK_ID, lease_token: TOKEN, result: { done: true } }, token)
      },
      CONNECTIONS,
      2
    ),
    expect: SUCCESS,
    slots: SLOTS
  })
  const side = loadSide(bench, name, name, [service])
  const many = Math.ceil(TASKS_PER_SECOND * bench.seconds)
  return {
    name,
    async round() {
      await database.query(
        `insert into tasks (id, session_id, title, description, created_by)
         select 'task_' || substr(md5(random()::text || n), 1, 16), coalesce(($2::text[])[1 + n % $3], ''),
           'part ' || n,
           repeat('what there is to do ', 10), 'bench'
         from generate_series(1, $1::int) as n`,
        [many, sessions, Math.max(1, sessions.length)]
      )
      try {
        return await side.round()
      } finally {
        await database.query("delete from tasks where state = 'submitted'")
      }
    }
  }
}
