import t from 'tap'
import { API_KEY, call, listen, ok, startApp } from '../helper.js'
import { token } from '../support/samples.js'
import { connectLegacy, connectModern, saidBy } from './clients.js'

/** authenticate_agent where the connection names its agent already. */

const app = await startApp(t)
const base = await listen(app)
const { api_key } = await ok(app, 'create_api_key', { agent_id: 'ada', agent_type: 'x' }, { admin: true })
const named: Record<string, Record<string, string>> = {
  'X-Agent-Id': { 'x-api-key': API_KEY, 'x-agent-id': 'ada' },
  'X-Agent-Id without a key': { 'x-agent-id': 'ada' },
  'a token': { authorization: `Bearer ${await token(app, 'ada')}` },
  'a key of one agent': { 'x-api-key': api_key }
}
const other = { agent_id: 'bob', agent_type: 'x', api_key: API_KEY }

for (const [year, connect] of Object.entries({ 2025: connectLegacy, 2026: connectModern })) {
  for (const [how, headers] of Object.entries(named)) {
    t.test(`the client of ${year}, named by ${how}`, async t => {
      const { client } = await connect(t, `${base}/mcp`, headers)
      const ask = async (args: object) =>
        saidBy(await client.callTool({ name: 'authenticate_agent', arguments: { ...other, ...args } }))
      t.match(await ask({}), { code: 'INVALID_INPUT', error: /switch: true/, context: { argument: 'switch' } })
      t.match(await ask({ switch: false }), { code: 'INVALID_INPUT' })
      t.match(await ask({ agent_id: 'ada' }), { success: true, agent_id: 'ada' })
      t.match(await ask({ switch: true }), { success: true, agent_id: 'bob' })
      t.match(await ask({ switch: 'true' }), { success: true, agent_id: 'bob' })
    })
  }

  t.test(`the client of ${year}, not named`, async t => {
    for (const headers of [{}, { 'x-api-key': API_KEY }] as Array<Record<string, string>>) {
      const { client } = await connect(t, `${base}/mcp`, headers)
      for (const agent_id of ['bob', 'carl']) {
        const answer = await client.callTool({ name: 'authenticate_agent', arguments: { ...other, agent_id } })
        t.match(saidBy(answer), { success: true, agent_id })
      }
    }
  })
}

t.test('REST is free', async t => {
  for (const headers of Object.values(named))
    t.match(await call(app, 'authenticate_agent', other, { anonymous: true, headers }), { status: 200 })
})
