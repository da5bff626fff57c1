import fc from 'fast-check'
import t from 'tap'
import { VISIBILITIES } from '../../src/kernel/visibilities.js'
import { call, newSession, ok, startApp } from '../helper.js'
import { propertyAgents } from '../support/property-agents.js'
import { unreadOf } from './unread-of.js'

const app = await startApp(t)

// A reader's state by the words of the contract, for any writing, changing and marking.
const { agents: AGENTS, anAgent } = propertyAgents(
  ['a', 'red', false],
  ['b', 'red', false],
  ['c', 'blue', false],
  ['d', 'blue', true]
)
const aVisibility = fc.constantFrom(...VISIBILITIES)
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        by: anAgent,
        visibility: aVisibility,
        about: fc.constantFrom('@a', '@b and @c.', '@ab', 'nobody', 'x@d @d')
      })
    },
    { weight: 3, arbitrary: fc.record({ by: anAgent, visibility: aVisibility, which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ by: anAgent, marks: fc.nat() }) }
  ),
  { minLength: 1, maxLength: 20 }
)

t.test("any reader's counts are what following from its cursor gives", async t => {
  await fc.assert(
    fc.asyncProperty(steps, async steps => {
      const session_id = await newSession(app, { agent_id: 'host' }, 'a session of the property test')
      const ids: number[] = []
      for (const step of steps) {
        if ('about' in step) {
          const { status, body } = await call(
            app,
            'add_message',
            { session_id, content: step.about, visibility: step.visibility, to: ['b', 'type:blue'] },
            step.by
          )
          if (status === 200) ids.push(body.message_id)
        } else if ('which' in step) {
          const message_id = ids[step.which % Math.max(1, ids.length)]
          if (message_id !== undefined)
            await call(app, 'set_message_visibility', { message_id, visibility: step.visibility }, step.by)
        } else {
          const { last_seq } = await ok(app, 'get_messages', { session_id }, step.by)
          await ok(app, 'mark_read', { session_id, up_to_seq: step.marks % (Number(last_seq) + 1) }, step.by)
        }
      }
      for (const viewer of AGENTS) {
        const { last_read_seq } = (await ok(app, 'get_session', { session_id }, viewer)).session
        const { messages } = await ok(
          app,
          'get_messages',
          { session_id, after_seq: last_read_seq, limit: 1000 },
          viewer
        )
        const others = messages.filter((message: any) => message.sender !== viewer.agent_id)
        const mentioning = { a: ['@a'], b: ['@b and @c.'], c: ['@b and @c.'], d: ['x@d @d'] }[viewer.agent_id as 'a']
        const expected = {
          messages: others.length,
          mentions: others.filter((message: any) => mentioning.includes(message.content)).length
        }
        const given = await unreadOf(app, session_id, viewer)
        if (JSON.stringify(given) !== JSON.stringify(expected))
          throw new Error(
            `${viewer.agent_id} after ${last_read_seq}: ${JSON.stringify(given)} instead of ${JSON.stringify(expected)}`
          )
      }
    }),
    { numRuns: 40 }
  )
  t.pass()
})
