import t from 'tap'
import { type AppError } from '../../src/kernel/errors.js'
import { ConcurrencyLimit } from '../../src/kernel/semaphore.js'

/** How slots are shared among agents, keys and workspaces. */

interface Holder {
  workspace: string
  agent_id: string
  key_id?: string
}

/** Takes slots until one is refused. */
function fill(limit: ConcurrencyLimit, holder: (n: number) => Holder) {
  const releases: Array<() => void> = []
  for (;;) {
    try {
      releases.push(limit.take(holder(releases.length)))
    } catch (error) {
      const { code, context, message } = error as AppError
      return { releases, code, context, message }
    }
  }
}

t.test('an agent has its own bound', async t => {
  const limit = new ConcurrencyLimit({ max: 100, per_agent: 3, what: 'calls that wait' })
  const { releases, code, context, message } = fill(limit, () => ({ workspace: 'a', agent_id: 'x' }))
  t.equal(releases.length, 3)
  t.equal(code, 'RATE_LIMITED')
  t.same(context, { limit: 3 })
  t.equal(message, 'This agent has too many calls that wait: 3 at a time are allowed.')
  limit.take({ workspace: 'b', agent_id: 'x' })
  t.equal(limit.taken, 4, 'an agent of that name elsewhere is another agent')
})

t.test('a workspace leaves a quarter to the others', async t => {
  const limit = new ConcurrencyLimit({ max: 20, per_agent: 20, what: 'searches' })
  const { releases, code, message } = fill(limit, n => ({ workspace: 'greedy', agent_id: `agent ${n}` }))
  t.equal(releases.length, 15)
  t.equal(code, 'RATE_LIMITED')
  t.equal(message, 'The agents of this workspace have too many searches: 15 at a time are allowed.')
  t.equal(fill(limit, () => ({ workspace: 'other', agent_id: 'x' })).releases.length, 5)
  t.throws(() => limit.take({ workspace: 'third', agent_id: 'x' }), { code: 'SERVICE_UNAVAILABLE' }, 'all are taken')
})

t.test('a key leaves half, whatever agents it has made up', async t => {
  const limit = new ConcurrencyLimit({ max: 20, per_agent: 20, what: 'streams' })
  const { releases, code, message } = fill(limit, n => ({ workspace: 'a', agent_id: `agent ${n}`, key_id: 'key_1' }))
  t.equal(releases.length, 10)
  t.equal(code, 'RATE_LIMITED')
  t.equal(message, 'The agents with this API key have too many streams: 10 at a time are allowed.')
  limit.take({ workspace: 'a', agent_id: 'agent 1', key_id: 'key_2' })
})

t.test('what is released can be taken again, once; what is refused takes nothing', async t => {
  const limit = new ConcurrencyLimit({ max: 4, per_agent: 2, what: 'streams' })
  const holder = () => ({ workspace: 'a', agent_id: 'x', key_id: 'key_1' })
  const { releases } = fill(limit, holder)
  t.equal(releases.length, 2)
  t.throws(() => limit.take(holder()))
  t.equal(limit.taken, 2)
  const [first] = releases
  first?.()
  first?.()
  t.equal(limit.taken, 1)
  t.equal(fill(limit, holder).releases.length, 1)
})
