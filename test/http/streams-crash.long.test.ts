import t from 'tap'
import { environment, runProgram } from '../helper.js'
import { crashAfter, writeLate } from '../support/reused-numbers.js'
import { ownServer } from '../support/own-server.js'
import { openProxy } from '../support/proxy.js'
import { post, until } from '../support/rest.js'
import { openStream } from './stream-client.js'

t.test('a stream of all sessions tells what is written under a number that was given before a crash', async t => {
  const server = await ownServer(t)
  await writeLate(server)
  const proxy = await openProxy(t, server.url)
  const writer = await runProgram(t, ['serve'], environment(server.url))
  const reader = await runProgram(t, ['serve'], environment(proxy.url))
  const { session_id } = await post(writer.url, 'create_session', { purpose: 'crash' })
  const add = async (content: string) =>
    until(content, async () => (await post(writer.url, 'add_message', { session_id, content })).status === 200)
  const stream = await openStream(reader.url, '/mcp/events', { agent_id: 'reader' })
  const told = (content: string) =>
    stream.waitFor(() => stream.changes().some(({ data }) => data.message?.content === content))

  const crash = (round: number) =>
    crashAfter(server, async mark => {
      await add(`before ${round}`)
      await told(`before ${round}`)
      await mark()
      // The reader's program comes back when the writer has written.
      proxy.target = 'postgres://127.0.0.1:1/nobody'
    })
  for (let round = 1; !(await crash(round)); round++) proxy.target = server.url
  await add('after')
  proxy.target = server.url
  await told('after')
  stream.close()
})
