import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Agent } from '../../src/kernel/agent.js'
import type { Caller } from '../../src/kernel/caller.js'
import { createHub, inboxTopic } from '../../src/kernel/events.js'
import { waitUntil } from '../../src/feed/wait-until.js'
import { createWakeUps } from '../../src/feed/wake-ups.js'
import { startApp } from '../helper.js'
import { until } from '../support/until.js'

/** Who waits is woken by hints, tries when one may have been missed, and else does not try for nothing. */

const { server } = await startApp(t)
const agent = { workspace: 'default', agent_id: 'a', agent_type: 't', permissions: ['write'] } satisfies Agent
const caller = { front: 'rest' } as Caller

/** Calls that wait on a topic of their own. */
function setUp() {
  const topic = inboxTopic('default', randomUUID())
  const stopping = new AbortController()
  const events = createHub()
  const deps = {
    wakeUps: createWakeUps({ ...server.following, events, stopping: stopping.signal, topicsOf: () => [topic] }),
    waiters: server.waiters,
    stopping: stopping.signal
  }
  const wait = (attempt: () => Promise<string | undefined>) =>
    waitUntil({ agent, caller, attempt, giveBack: async () => {}, total_ms: 60_000 }, deps)
  const hint = () => {
    events.publish([topic])
  }
  const stop = () => stopping.abort()
  /** Somebody who waits already, so that hints are counted, and has tried twice: nobody had counted them before. */
  const another = async () => {
    const other = { tries: 0 }
    const ended = wait(async () => (++other.tries, undefined))
    await until(() => other.tries === 2, 'the other one tries')
    return Object.assign(other, { ended })
  }
  return { wait, hint, stop, another }
}

t.test('a hint that comes during the first attempt makes another one', async t => {
  const { wait, hint, stop, another } = setUp()
  const other = await another()
  let attempts = 0
  t.same(
    await wait(async () => {
      if (++attempts > 1) return 'it'
      hint()
      await until(() => other.tries === 3, 'the other one tries')
      return undefined
    }),
    { got: 'it' }
  )
  stop()
  t.equal(await other.ended, 'time is up')
})

t.test('who begins to wait where others do tries once, and then for each hint', async t => {
  const { wait, hint, stop, another } = setUp()
  const first = await another()
  let seconds = 0
  const second = wait(async () => (++seconds, undefined))
  await new Promise(resolve => setTimeout(resolve, 100))
  t.same([first.tries, seconds], [2, 1])
  for (const tries of [1, 2, 3]) {
    hint()
    await until(() => first.tries === 2 + tries && seconds === 1 + tries, 'they try')
  }
  stop()
  t.same(await Promise.all([first.ended, second]), ['time is up', 'time is up'])
})
