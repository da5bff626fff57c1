import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { API_KEY } from '../helper.js'
import { startFleet } from '../replicas/fleet.js'
import { createRandom, seedOf } from '../replicas/random.js'
import { createDatabase } from '../support/cluster.js'
import { openOwner } from '../support/database.js'

/**
 * Many claimers on three replicas, which are killed and come back: each task is completed once, by the claim that held
 * it, and none is lost. TASKS, CLAIMERS and SEED make it larger, or the same again.
 */

const TASKS = Number(process.env.TASKS ?? 1000)
const CLAIMERS = Number(process.env.CLAIMERS ?? 50)
const SEED = seedOf()
const LEASE_SECONDS = 2
/** Beyond what a slow machine needs: it ends as soon as all is done. */
const LIMIT_MS = 240_000

t.test(`exactly once, SEED=${SEED}`, async t => {
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  const owner = openOwner(t, url, { connect_timeout_ms: 30_000 })
  const fleet = await startFleet(t, url)
  const { between, chance } = createRandom(SEED)

  async function call(replica: number, agent_id: string, tool: string, args: object): Promise<any> {
    const response = await fetch(`${fleet.urls[replica]}/mcp/tool/${tool}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': API_KEY, 'x-agent-id': agent_id },
      body: JSON.stringify(args),
      signal: AbortSignal.timeout(10_000)
    })
    return response.json()
  }

  const { session_id } = await call(0, 'coordinator', 'create_session', { purpose: 'many tasks' })
  for (let made = 0; made < TASKS; made += 100) {
    const tasks = Array.from({ length: Math.min(100, TASKS - made) }, (_, i) => ({
      title: `${made + i}`,
      session_id,
      lease_seconds: LEASE_SECONDS,
      max_attempts: 100
    }))
    t.equal((await call(0, 'coordinator', 'create_tasks', { tasks })).success, true)
  }

  /** What claimers were told: by task, the tokens under which it was completed, and those that were outdated. */
  const completed = new Map<string, number[]>()
  const outdated: Array<{ task_id: string; lease_token: number }> = []
  const counts = { claims: 0, abandoned: 0, slept: 0, lost: 0, broken: 0, killed: 0 }
  let done = false
  const began = performance.now()

  async function claimer(n: number): Promise<void> {
    const agent_id = `claimer-${n}`
    for (let turn = n; !done && performance.now() - began < LIMIT_MS; turn++) {
      const replica = turn % 3
      const claim = await call(replica, agent_id, 'claim_task', { session_id, wait_seconds: 1 }).catch(() => undefined)
      if (claim?.success !== true) {
        counts.broken++
        await sleep(between(20, 70))
        continue
      }
      if (claim.task === null) continue
      counts.claims++
      const { task_id } = claim.task
      const lease_token = claim.lease.token
      // A claimer that dies: nobody completes under that lease.
      if (chance(0.02)) {
        counts.abandoned++
        continue
      }
      // One that sleeps past the end of its lease, and believes that it still holds the task.
      if (chance(0.01)) {
        counts.slept++
        await sleep(LEASE_SECONDS * 1000 + 1200)
        outdated.push({ task_id, lease_token })
      }
      for (let tries = 0; tries < 20; tries++) {
        const by = (replica + tries) % 3
        const answer = await call(by, agent_id, 'complete_task', { task_id, lease_token, result: lease_token }).catch(
          () => undefined
        )
        if (answer?.success === true) completed.set(task_id, [...(completed.get(task_id) ?? []), lease_token])
        else if (answer?.code === 'LEASE_LOST') counts.lost++
        else {
          counts.broken++
          await sleep(50)
          continue
        }
        break
      }
    }
  }

  async function killer(): Promise<void> {
    for (let n = 0; !done && n < 6; n++) {
      await sleep(between(1000, 2000))
      if (done) return
      const replica = between(0, 3)
      counts.killed++
      await fleet.stop(replica, 'SIGKILL')
      await sleep(200)
      await fleet.start(replica)
    }
  }

  async function watcher(): Promise<void> {
    while (!done && performance.now() - began < LIMIT_MS) {
      await sleep(200)
      const { tasks } = await call(0, 'coordinator', 'list_tasks', { session_id, limit: 1, state: 'submitted' }).catch(
        () => ({ tasks: undefined })
      )
      if (tasks?.length !== 0) continue
      const working = await owner
        .selectFrom('tasks')
        .select('id')
        .where('state', '<>', 'completed')
        .limit(1)
        .execute()
        .catch(() => undefined)
      done = working?.length === 0
    }
    done = true
  }

  await Promise.all([killer(), watcher(), ...Array.from({ length: CLAIMERS }, (_, n) => claimer(n))])
  const took = Math.round(performance.now() - began)
  t.comment(`${TASKS} tasks, ${CLAIMERS} claimers: ${took} ms, ${JSON.stringify(counts)}`)

  const tasks = await owner.selectFrom('tasks').select(['id', 'state', 'result', 'lease_token']).execute()
  t.equal(tasks.length, TASKS)
  t.same(
    tasks.filter(({ state }) => state !== 'completed'),
    [],
    'every task came back until it was completed'
  )
  const history = await owner.selectFrom('task_history').select(['task_id', 'to_state', 'from_state']).execute()
  const times = new Map<string, number>()
  for (const { task_id, to_state } of history)
    if (to_state === 'completed') times.set(task_id, (times.get(task_id) ?? 0) + 1)
  t.same(
    [...times].filter(([, n]) => n !== 1),
    [],
    'each was completed once'
  )
  const wrong = tasks.filter(({ id, result, lease_token }) => {
    const told = completed.get(id) ?? []
    return result !== lease_token || told.some(token => token !== lease_token)
  })
  t.same(wrong, [], 'who was told that it completed a task held it last, and the result is its own')
  const last = new Map(tasks.map(({ id, lease_token }) => [id, lease_token]))
  t.ok(
    outdated.every(({ task_id, lease_token }) => last.get(task_id) !== lease_token),
    'no outdated lease completed anything'
  )
  t.ok(counts.killed > 0 && counts.abandoned > 0, 'replicas and claimers died')
  const audited = await owner
    .selectFrom('audit_log')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .where('event_type', '=', 'task_completed')
    .executeTakeFirstOrThrow()
  t.equal(Number(audited.n), TASKS, 'and audited once')
  const changes = await owner.selectFrom('session_changes').select('seq').orderBy('seq').execute()
  t.ok(
    changes.every(({ seq }, i) => seq === i + 1),
    'its life has gap-free numbers in the session'
  )
})
