import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runProgram } from '../helper.js'
import { starts } from './local-clients.js'

t.test('beside a running server, on its embedded PostgreSQL, and by itself', async t => {
  const parent = await mkdtemp(join(tmpdir(), 'scs-stdio-'))
  await chmod(parent, 0o711)
  t.teardown(() => rm(parent, { recursive: true, force: true }))
  const env = { DATA_DIR: join(parent, 'data'), PORT: '0', LOG_LEVEL: 'warn' }
  const server = await runProgram(t, ['serve'], env)
  const client = await (starts['the SDK of 2025'] as (typeof starts)[string])(t, env)
  const {
    structuredContent: { session_id }
  } = await client.callTool({ name: 'create_session', arguments: { purpose: 'seen by both' } })
  const key = /API key +(\S+)/.exec(server.output())?.[1] as string
  const response = await fetch(`${server.url}/mcp/tool/get_session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key, 'x-agent-id': 'over http' },
    body: JSON.stringify({ session_id })
  })
  t.match(await response.json(), { success: true, session: { purpose: 'seen by both', created_by: 'legacy local' } })
  await client.close()
  t.equal(await server.stop(), 0)

  const alone = await (starts['the SDK of 2026'] as (typeof starts)[string])(t, env)
  t.match(await alone.callTool({ name: 'get_session', arguments: { session_id } }), {
    structuredContent: { success: true }
  })
  await alone.close()
})
