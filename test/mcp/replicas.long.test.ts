import { createServer, connect, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { API_KEY, environment, runProgram } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { connectLegacy, connectModern, eventually, saidBy } from './clients.js'

/** A proxy that gives every new connection to the next server. */
async function roundRobin(t: Test, targets: string[]): Promise<{ url: string; counts: number[] }> {
  const counts = targets.map(() => 0)
  const sockets = new Set<Socket>()
  let next = 0
  const proxy = createServer(client => {
    const i = next++ % targets.length
    counts[i] = (counts[i] as number) + 1
    const { hostname, port } = new URL(targets[i] as string)
    const server = connect(Number(port), hostname)
    for (const [from, to] of [
      [client, server],
      [server, client]
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => {
        to.destroy()
      })
    }
  })
  await new Promise<void>(resolve => {
    proxy.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/mcp`, counts }
}

t.test('three servers behind a proxy serve one client', async t => {
  const database = await createDatabase()
  t.teardown(() => database.drop())
  const servers = await Promise.all([1, 2, 3].map(async () => runProgram(t, ['serve'], environment(database.url))))
  const { url, counts } = await roundRobin(
    t,
    servers.map(server => server.url)
  )
  // A connection for each request, so that each goes to the next server.
  const each = { connection: 'close' }

  for (const connectClient of [
    connectLegacy,
    async (t: Test, url: string, headers: Record<string, string>) => connectModern(t, url, headers, '2025-06-18')
  ]) {
    const { client, transport } = await connectClient(t, url, each)
    await client.listTools()
    await client.callTool({
      name: 'authenticate_agent',
      arguments: { agent_id: 'traveller', agent_type: 'tester', api_key: API_KEY }
    })
    const {
      structuredContent: { session_id }
    } = await client.callTool({ name: 'create_session', arguments: { purpose: 'served by three' } })
    for (let i = 1; i <= 9; i++) {
      const added = await client.callTool({ name: 'add_message', arguments: { session_id, content: `message ${i}` } })
      t.match(added, { structuredContent: { success: true } })
      const {
        structuredContent: { messages }
      } = await client.callTool({ name: 'get_messages', arguments: { session_id, limit: 1 } })
      t.match(messages, [{ content: `message ${i}`, sender: 'traveller', sender_type: 'tester' }])
    }
    t.match((await client.readResource({ uri: `session://${session_id}` })).contents, [{ text: /message 9/ }])

    await client.callTool({ name: 'revoke_token', arguments: {} })
    const ask = async () => client.callTool({ name: 'list_sessions', arguments: {} })
    // Every server learns of it by itself: refused so often in a row, it is refused by each.
    let refused = 0
    await eventually(ask, answer => {
      refused = answer.isError === true ? refused + 1 : 0
      return refused === 2 * servers.length
    })
    t.match(saidBy(await ask()), { code: 'TOKEN_REVOKED' }, 'the identity has ended on every server')
    await (transport as { terminateSession: () => Promise<void> }).terminateSession()
  }

  const { client } = await connectModern(t, url, { ...each, 'x-api-key': API_KEY })
  for (let i = 0; i < 6; i++)
    t.match(await client.callTool({ name: 'list_sessions', arguments: {} }), { structuredContent: { success: true } })
  for (const count of counts) t.ok(count > 10, `a server had ${count} connections`)
})
