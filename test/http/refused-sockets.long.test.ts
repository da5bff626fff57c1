import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { environment, listen, newSession, ok, runProgram, startApp } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { openRaw, type RawConnection, toolRequest } from '../support/raw-connection.js'
import { post, until } from '../support/rest.js'

/** A client that was told that its request is refused may send it again: it must not be executed as well. */

const QUICK = { REQUEST_TIMEOUT_MS: '1000' }
const SOCKETS = 10

function isRetryable(t: Test, connection: RawConnection, status: number, what: string): void {
  t.equal(connection.statuses().at(-1), status, `${what}: status`)
  const { code, recoverable, suggestions, retry_after } = connection.lastBody()
  t.match({ code, recoverable }, { code: 'SERVICE_UNAVAILABLE', recoverable: true }, what)
  t.ok(suggestions.length > 0 && retry_after >= 1, `${what}: says what to do`)
}

t.test('too late', async t => {
  const app = await startApp(t, QUICK)
  const base = await listen(app)
  const session_id = await newSession(app)
  const request = () => toolRequest('add_message', { session_id, content: randomUUID() })
  const written = async () => (await ok(app, 'get_messages', { session_id })).total_count as number

  for (const [what, before, after] of [
    ['nothing at all', () => '', (text: string) => text],
    ['half a head', (text: string) => text.slice(0, 60), (text: string) => text.slice(60)],
    ['a head without its last line', (text: string) => text.split('\r\n\r\n')[0], (text: string) => text.slice(-80)],
    ['half a body', (text: string) => text.slice(0, -20), (text: string) => text.slice(-20)],
    ['a body in chunks', () => chunkedHead(), () => `0\r\n\r\n${request()}`]
  ] as Array<[string, (text: string) => string, (text: string) => string]>) {
    const count = await written()
    const requests = Array.from({ length: SOCKETS }, request)
    const connections = await Promise.all(requests.map(() => openRaw(base)))
    for (const [i, connection] of connections.entries()) connection.send(before(requests[i] as string))
    await Promise.all(connections.map(connection => connection.answers(1)))
    for (const [i, connection] of connections.entries()) {
      isRetryable(t, connection, 408, what)
      connection.send(after(requests[i] as string) + request() + request())
    }
    await Promise.all(connections.map(connection => connection.closed()))
    await new Promise(resolve => setTimeout(resolve, 300))
    t.equal(await written(), count, `${what}: nothing was executed`)
    for (const connection of connections) connection.socket.destroy()
    t.same(
      connections.map(connection => connection.statuses()),
      connections.map(() => [408]),
      `${what}: one answer each`
    )
  }

  const keptAlive = await openRaw(base)
  keptAlive.send(request())
  t.same(await keptAlive.answers(1), [200], 'a connection that has been used')
  keptAlive.send(request().slice(0, 50))
  await keptAlive.answers(2)
  isRetryable(t, keptAlive, 408, 'kept alive')
  const count = await written()
  keptAlive.send(request().slice(50) + request())
  await keptAlive.closed()

  const pipelined = await openRaw(base)
  pipelined.send(toolRequest('wait_for_messages', { session_id, timeout_seconds: 4 }) + request().slice(0, 50))
  t.same(await pipelined.answers(2), [200, 408], 'the answers that are under way come first')
  pipelined.send(request().slice(50) + request())
  await pipelined.closed()
  await new Promise(resolve => setTimeout(resolve, 300))
  t.equal(await written(), count)
})

t.test('a connection that was refused is read for a moment, and closed', async t => {
  const base = await listen(await startApp(t, QUICK))
  const connection = await openRaw(base)
  await connection.answers(1)
  const began = performance.now()
  const block = Buffer.alloc(64 * 1024, 'x')
  let closed = false
  connection.socket.on('close', () => {
    closed = true
  })
  const { bytesWritten } = connection.socket
  while (!closed && performance.now() - began < 20_000) {
    if (!connection.socket.write(block)) await new Promise(resolve => setTimeout(resolve, 5))
  }
  t.ok(closed, 'closed, though the client goes on and on')
  t.ok(connection.socket.bytesWritten - bytesWritten > 1024 * 1024, 'and was read meanwhile')
})

t.test('a process that was stopped for a while', { skip: process.platform !== 'linux' }, async t => {
  const database = await createDatabase()
  t.teardown(() => database.drop())
  const server = await runProgram(t, ['serve'], environment(database.url, { REQUEST_TIMEOUT_MS: '2000' }))
  const { session_id } = await post(server.url, 'create_session', { purpose: 'stopped' })
  const request = () => toolRequest('add_message', { session_id, content: randomUUID() })
  const silent = await Promise.all(Array.from({ length: SOCKETS }, () => openRaw(server.url)))
  const half = await Promise.all(Array.from({ length: SOCKETS }, () => openRaw(server.url)))
  const requests = half.map(request)
  for (const [i, connection] of half.entries()) connection.send((requests[i] as string).slice(0, 70))
  await new Promise(resolve => setTimeout(resolve, 200))
  server.process.kill('SIGSTOP')
  await new Promise(resolve => setTimeout(resolve, 3000))
  for (const connection of silent) connection.send(request())
  for (const [i, connection] of half.entries()) connection.send((requests[i] as string).slice(70))
  server.process.kill('SIGCONT')
  const all = [...silent, ...half]
  await Promise.all(all.map(connection => connection.answers(1)))
  const succeeded = all.filter(connection => connection.statuses()[0] === 200).length
  await new Promise(resolve => setTimeout(resolve, 500))
  const { total_count } = await post(server.url, 'get_messages', { session_id })
  t.equal(total_count, succeeded, 'what was written is what was confirmed')
  for (const connection of all) connection.socket.destroy()
})

t.test('a server that stops', async t => {
  const database = await createDatabase()
  t.teardown(() => database.drop())
  const server = await runProgram(t, ['serve'], environment(database.url))
  const other = await startApp(t, {}, { url: database.url })
  const session_id = await newSession(other)
  const request = () => toolRequest('add_message', { session_id, content: randomUUID() })
  const head = await openRaw(server.url)
  const body = await openRaw(server.url)
  const waiting = await openRaw(server.url)
  const [one, two] = [request(), request()]
  head.send(one.slice(0, 70))
  body.send(two.slice(0, -20))
  waiting.send(toolRequest('wait_for_messages', { session_id, timeout_seconds: 20 }))
  // The other two have sent before it, and are read before it.
  await until('the last one waits', async () => {
    const answer = await fetch(`${server.url}/metrics`, { headers: { connection: 'close' } })
    return /^waiters 1$/m.test(await answer.text())
  })
  const stopped = server.stop()
  await Promise.all([head.answers(1), body.answers(1), waiting.answers(1)])
  isRetryable(t, head, 503, 'in its head')
  isRetryable(t, body, 503, 'in its body')
  t.same(waiting.statuses(), [200], 'a call that waits is answered')
  head.send(one.slice(70) + request())
  body.send(two.slice(-20) + request())
  t.equal(await stopped, 0, 'it stops in time')
  t.equal((await ok(other, 'get_messages', { session_id })).total_count, 0, 'nothing was executed')
  await until('closed', () => head.isClosed() && body.isClosed())
})

function chunkedHead(): string {
  return toolRequest('add_message', {}, { 'transfer-encoding': 'chunked', 'content-length': '' })
    .replace('content-length: \r\n', '')
    .replace(/\{\}$/, '2\r\n{"\r\n')
}
