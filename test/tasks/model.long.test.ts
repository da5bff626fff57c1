import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { acrossWorkspaces } from '../../src/postgres/scope.js'
import { takeBackTasks } from '../../src/tasks/store/ended-leases.js'
import { call, newSession, ok, startApp } from '../helper.js'
import { createRandom, seedOf } from '../replicas/random.js'
import { openService } from '../support/database.js'

/**
 * Random steps against a model in memory: what tasks are, who gets which, and which lease counts. SEED and STEPS say
 * how; `STEPS=20000` is the long run.
 */

const SEED = seedOf()
const STEPS = Number(process.env.STEPS ?? 400)
const AGENTS = ['a', 'b', 'c', 'd']
const LONG = 86_400

interface Modelled {
  id: string
  number: number
  priority: number
  state: string
  attempts: number
  max_attempts: number
  needs: Modelled[]
  to: string | undefined
  holder: string | null
  tokens: Array<{ token: number; agent_id: string }>
}

t.test(`tasks and their model, SEED=${SEED}, STEPS=${STEPS}`, { timeout: 3_600_000 }, async t => {
  const app = await startApp(t)
  const service = openService(t, app.url, { max: 2 }).db
  const session_id = await newSession(app)
  const random = createRandom(SEED)
  const tasks: Modelled[] = []
  let highest = 0
  let step = 0
  /** What the step before took back, and what this one does. */
  let taken_back: Modelled | undefined
  let ended: Modelled | undefined

  const isOpen = ({ state }: Modelled) => !['completed', 'failed', 'canceled'].includes(state)
  const isReady = ({ state, needs }: Modelled) =>
    state === 'submitted' && needs.every(need => need.state === 'completed')
  const lost = (task: Modelled): void => {
    for (const other of tasks)
      if (isOpen(other) && other.needs.includes(task)) {
        other.state = 'canceled'
        lost(other)
      }
  }
  const attempt = (task: Modelled, retry = true): void => {
    task.attempts++
    const again = retry && task.attempts < task.max_attempts
    task.state = again ? 'submitted' : 'failed'
    if (again) task.holder = null
    else lost(task)
  }
  /** A token that holds now, or one that did. */
  const anyToken = (task: Modelled) => {
    const { token, agent_id } = random.pick(task.tokens)
    const current = task.tokens.at(-1)?.token === token && task.state === 'working' && task.holder === agent_id
    return { token, agent_id, current }
  }
  const claimed = () => tasks.filter(({ tokens }) => tokens.length > 0)

  const steps: Record<string, () => Promise<void>> = {
    async create() {
      const needs = tasks.filter(task => isOpen(task) || task.state === 'completed')
      const chosen =
        random.chance(0.5) && needs.length > 0 ? [...new Set([random.pick(needs), random.pick(needs)])] : []
      const to = random.chance(0.2) ? random.pick(AGENTS) : undefined
      const [priority, max_attempts] = [random.between(-2, 3), random.between(1, 4)]
      const { task } = await ok(app, 'create_task', {
        title: `${step}`,
        session_id,
        priority,
        max_attempts,
        lease_seconds: LONG,
        ...(chosen.length > 0 && { depends_on: chosen.map(({ id }) => id) }),
        ...(to !== undefined && { to: [to] })
      })
      const of = { id: task.task_id, number: tasks.length, priority, max_attempts, needs: chosen, to }
      tasks.push({ ...of, state: 'submitted', attempts: 0, holder: null, tokens: [] })
    },
    async claim() {
      const agent_id = random.pick(AGENTS)
      const [best, next] = tasks
        .filter(task => isReady(task) && (task.to === undefined || task.to === agent_id))
        .sort((x, y) => y.priority - x.priority || x.number - y.number)
      const { task, lease } = await ok(app, 'claim_task', { session_id }, { agent_id })
      // The service takes back ended leases too. Where it comes second, it has the task locked for a moment yet, and
      // claims pass over tasks that are locked.
      const passed_over = best !== undefined && best === taken_back && task?.task_id === next?.id
      const claimed = passed_over ? next : best
      t.equal(task?.task_id, claimed?.id, `step ${step}: the best task is claimed`)
      if (claimed === undefined) return
      if (lease.token <= highest) t.fail(`step ${step}: tokens grow`)
      highest = lease.token
      Object.assign(claimed, { state: 'working', holder: agent_id })
      claimed.tokens.push({ token: lease.token, agent_id })
    },
    async complete() {
      if (claimed().length === 0) return
      const task = random.pick(claimed())
      const { token, agent_id, current } = anyToken(task)
      const repeated = task.state === 'completed' && task.tokens.at(-1)?.token === token
      const given = { task_id: task.id, lease_token: token, result: step }
      const { body } = await call(app, 'complete_task', given, { agent_id })
      if (task.to !== undefined && task.to !== agent_id) return
      t.equal(body.code ?? 'success', current || repeated ? 'success' : 'LEASE_LOST', `step ${step}: complete`)
      if (current) task.state = 'completed'
    },
    async fail() {
      if (claimed().length === 0) return
      const task = random.pick(claimed())
      const { token, agent_id, current } = anyToken(task)
      const retry = random.chance(0.8)
      const given = { task_id: task.id, lease_token: token, error: 'e', retry }
      const { body } = await call(app, 'fail_task', given, { agent_id })
      t.equal(body.code ?? 'success', current ? 'success' : 'LEASE_LOST', `step ${step}: fail`)
      if (current) attempt(task, retry)
    },
    async release() {
      if (claimed().length === 0) return
      const task = random.pick(claimed())
      const { token, agent_id, current } = anyToken(task)
      const { body } = await call(
        app,
        'release_task',
        { task_id: task.id, lease_token: token, note: 'n' },
        { agent_id }
      )
      t.equal(body.code ?? 'success', current ? 'success' : 'LEASE_LOST', `step ${step}: release`)
      if (current) Object.assign(task, { state: 'submitted', holder: null })
    },
    async free() {
      const task = tasks.length > 0 ? random.pick(tasks) : undefined
      if (task === undefined) return
      // All tasks are made by the same agent, which need not hold what it frees.
      const by = random.pick([
        { agent_id: 'agent-1' },
        { agent_id: 'root', admin: true },
        { agent_id: random.pick(AGENTS) }
      ])
      const may = !AGENTS.includes(by.agent_id)
      const { body } = await call(app, 'release_task', { task_id: task.id, note: 'n' }, by)
      if (!may && task.to !== undefined && task.to !== by.agent_id) return
      const wanted = may ? (task.state === 'working' ? 'success' : 'CONFLICT') : 'PERMISSION_DENIED'
      t.equal(body.code ?? 'success', wanted, `step ${step}: free`)
      if (wanted === 'success') Object.assign(task, { state: 'submitted', holder: null })
    },
    async end() {
      const held = tasks.filter(({ state }) => state === 'working')
      if (held.length === 0) return
      const task = random.pick(held)
      await app.database.db
        .updateTable('tasks')
        .set({ lease_expires_at: '2020-01-01T00:00:00.000Z' })
        .where('id', '=', task.id)
        .execute()
      const { token, agent_id } = task.tokens.at(-1) as { token: number; agent_id: string }
      const { body } = await call(app, 'complete_task', { task_id: task.id, lease_token: token }, { agent_id })
      t.equal(body.code, 'LEASE_LOST', `step ${step}: an ended lease completes nothing`)
      await takeBackTasks(acrossWorkspaces(service), service)
      for (;;) {
        const { task: now } = await ok(app, 'get_task', { task_id: task.id }, { admin: true, agent_id: 'root' })
        if (now.state !== 'working') break
      }
      attempt(task)
      ended = task
    },
    async cancel() {
      const open = tasks.filter(isOpen)
      if (open.length === 0) return
      const task = random.pick(open)
      await ok(app, 'cancel_task', { task_id: task.id })
      task.state = 'canceled'
      lost(task)
    }
  }
  const often = [
    'create',
    'create',
    'create',
    'claim',
    'claim',
    'claim',
    'complete',
    'complete',
    'fail',
    'release',
    'free',
    'end'
  ]

  async function compare(): Promise<void> {
    const rows = await app.database.db.selectFrom('tasks').selectAll().orderBy('number').execute()
    const stored = rows.map(({ id, state, attempts, blocked }) => ({ id, state, attempts, blocked }))
    const modelled = tasks.map(({ id, state, attempts, needs }) => ({
      id,
      state,
      attempts,
      blocked: needs.filter(need => need.state !== 'completed').length
    }))
    const differing =
      stored.length === modelled.length ? stored.findIndex((one, i) => !isDeepStrictEqual(one, modelled[i])) : 0
    // Not all of them at once: of thousands of tasks that takes seconds.
    t.same(
      [stored.length, stored[differing]],
      [modelled.length, modelled[differing]],
      `step ${step}: all tasks are what the model says`
    )
  }

  for (step = 0; step < STEPS; step++) {
    const name = random.chance(0.03) ? 'cancel' : random.pick(often)
    ended = undefined
    await (steps[name] as () => Promise<void>)()
    taken_back = ended
    if (step % 100 === 99) await compare()
    if (!t.passing()) break
  }
  await compare()
  t.comment(`${tasks.length} tasks, ${tasks.filter(({ state }) => state === 'completed').length} completed`)
})
