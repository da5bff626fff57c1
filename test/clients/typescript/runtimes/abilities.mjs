/**
 * What a program does with the client, in whatever runs it: Node, Deno or Bun. `runtimes.long.test.ts` starts it beside
 * the installed package, and does what it asks for at CONTROL: faults, and the service killed and started again. It
 * prints the name of each part that went well, and must then end by itself.
 */
import assert from 'node:assert/strict'
import {
  LeaseHeldError,
  LeaseLostError,
  RefusedError,
  SessionNotFoundError,
  SharedContext,
  UnreachableError
} from 'shared-context-client'
import { SharedContextSaver, SharedContextStore } from 'shared-context-client/langgraph'

const { CONTROL, SHARED_CONTEXT_URL: url, SHARED_CONTEXT_API_KEY: apiKey } = process.env

/** Asks the test for something, and waits until it has happened. */
async function ask(what) {
  const answer = await fetch(`${CONTROL}/${what}`, { method: 'POST' })
  assert.equal(answer.status, 200, await answer.text())
}

const as = (agentId, more = {}) => new SharedContext({ url, apiKey, agentId, agentType: 'tester', ...more })
const [ada, ben] = [as('ada'), as('ben')]
const failed = promise =>
  promise.then(
    () => assert.fail('it must fail'),
    error => error
  )
async function until(holds) {
  while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 50))
}

const PARTS = {
  async calls() {
    const text = 'é, 世界, 🚀 and \u0001'.repeat(2000)
    const { session_id } = await ada.createSession({ purpose: 'calls' })
    const { seq } = await ada.addMessage({ session_id, content: text, payload: { nested: [null, 1.5, text] } })
    const { messages } = await ben.getMessages({ session_id })
    assert.deepEqual([messages[0].seq, messages[0].content, messages[0].payload.nested[2]], [seq, text, text])
    await ada.setMemory({ key: 'a key', value: null })
    assert.equal((await ada.getMemory({ key: 'a key' })).value, null)
    await ada.addMessages({
      session_id,
      messages: Array.from({ length: 7 }, (_, n) => ({ content: `number ${n}, the quartz lighthouse` }))
    })
    assert.ok((await ben.searchContext({ session_id, query: 'quarz lighthouse' })).results.length > 0)
    const keys = ['listed/0', 'listed/1', 'listed/2', 'listed/3', 'listed/4']
    await ada.batchMemory({ operations: keys.map(key => ({ op: 'set', key, value: key })) })
    const listed = []
    for await (const each of ada.each('list_memory', { prefix: 'listed/', limit: 2 })) listed.push(each.key)
    assert.deepEqual(listed.sort(), keys)
    // The header of a name that is not ASCII.
    const zoë = as('zoë 世界', { exchangeKey: false })
    await zoë.addMessage({ session_id, content: 'by a key' })
    const last = (await ben.getMessages({ session_id, sender: 'zoë 世界' })).messages
    assert.equal(last[0].content, 'by a key')
    const { token } = ada.identity
    const refreshed = new SharedContext({ url, token: () => token })
    assert.equal((await refreshed.getSession({ session_id })).session.id, session_id)
  },

  async errors() {
    const gone = await failed(ada.getSession({ session_id: `session_${'0'.repeat(16)}` }))
    assert.ok(gone instanceof SessionNotFoundError && gone instanceof RefusedError, String(gone))
    assert.equal(gone.status, 404)
    assert.ok(gone.suggestions.length > 0)
    const stop = new AbortController()
    const { session_id } = await ada.createSession({ purpose: 'errors' })
    setTimeout(() => stop.abort(new Error('stopped')), 100)
    const waiting = ben.waitForMessages({ session_id, timeout_seconds: 30 }, { signal: stop.signal })
    assert.equal((await failed(waiting)).message, 'stopped')
    await ask('fault/silent')
    const late = await failed(ada.getSession({ session_id }, { timeoutMs: 200, tries: 1 }))
    assert.ok(late instanceof UnreachableError, String(late))
    assert.match(late.message, /within 200 ms/)
    await ask('fault/redirect')
    const moved = await failed(ada.getSession({ session_id }))
    assert.ok(moved instanceof UnreachableError && !moved.mayPass, String(moved))
    assert.match(moved.message, /redirects/)
    const nobody = await failed(as('ada', { url: 'http://127.0.0.1:1', tries: 1 }).listSessions({}))
    assert.ok(nobody instanceof UnreachableError && nobody.mayPass, String(nobody))
  },

  async retries() {
    const { session_id } = await ada.createSession({ purpose: 'retries' })
    for (const fault of ['reset', 'lost', 'html', 'busy']) {
      await ask(`fault/${fault}`)
      await ada.addMessage({ session_id, content: fault })
    }
    await ask('restart')
    await ada.addMessage({ session_id, content: 'restart' })
    const { messages } = await ada.getMessages({ session_id })
    assert.deepEqual(
      messages.map(({ content }) => content),
      ['reset', 'lost', 'html', 'busy', 'restart']
    )
  },

  async follow() {
    const { session_id } = await ada.createSession({ purpose: 'followed' })
    await ada.addMessage({ session_id, content: 'one' })
    const got = []
    const feed = ben.follow(session_id, { afterSeq: 0 })
    for await (const { content } of feed) {
      got.push(content)
      if (content === 'one') {
        // The next wait is under way when the service is killed.
        setTimeout(() => {
          void ask('restart').then(() =>
            ada.addMessages({ session_id, messages: [{ content: 'two' }, { content: 'three' }] })
          )
        }, 500)
      }
      if (content === 'three') await ada.closeSession({ session_id })
    }
    assert.deepEqual(got, ['one', 'two', 'three'])
    assert.ok(feed.lastSeq >= 3)
    const stop = new AbortController()
    const { session_id: quiet } = await ada.createSession({ purpose: 'quiet' })
    setTimeout(() => stop.abort(), 100)
    for await (const { content } of ben.follow(quiet, { signal: stop.signal })) assert.fail(content)
  },

  async events() {
    const { session_id } = await ada.createSession({ purpose: 'streamed' })
    const states = []
    const got = []
    const stream = ben.events({ sessionId: session_id, afterSeq: 0, onState: state => states.push(state) })
    await ada.addMessage({ session_id, content: 'one' })
    for await (const { event, data } of stream) {
      if (event !== 'message_added') continue
      got.push(data.message.content)
      if (data.message.content === 'two') break
      await ask('restart')
      await ada.addMessage({ session_id, content: 'two' })
    }
    assert.deepEqual(got, ['one', 'two'])
    // Some runtimes call a connection that was broken off ended: then nothing is lost in between.
    assert.ok(states.filter(state => state === 'live').length >= 2 && states.at(-1) === 'live', String(states))
    await ada.addMessage({ session_id, content: 'three' })
    // The event of the break was not handled to its end, so it comes again.
    const again = ben.events({ sessionId: session_id, lastEventId: stream.lastEventId })
    const later = []
    for await (const { event, data } of again) {
      if (event === 'message_added') later.push(data.message.content)
      if (later.at(-1) === 'three') await ada.deleteSession({ session_id })
    }
    assert.deepEqual(later, ['two', 'three'])
    assert.ok(again.isSessionGone)

    const { session_id: other } = await ada.createSession({ purpose: 'another' })
    const all = ben.events()
    for await (const { event, data } of all) {
      if (event === 'start') await ada.addMessage({ session_id: other, content: 'anywhere' })
      if (event === 'message_added' && data.session_id === other) break
    }
    for await (const { event, data } of ben.events({ lastEventId: all.lastEventId })) {
      if (event !== 'message_added') continue
      assert.equal(data.message.content, 'anywhere')
      break
    }
  },

  async leases() {
    await ada.withLease(
      'deploy',
      async lease => {
        const end = async () => (await ben.listLeases({ prefix: 'deploy' })).leases[0].expires_at
        const first = await end()
        await until(async () => (await end()) > first)
        assert.ok(!lease.signal.aborted)
        assert.ok((await failed(ben.lease('deploy'))) instanceof LeaseHeldError)
      },
      { ttlSeconds: 6 }
    )
    const lease = await ben.lease(['deploy', 'another'], { ttlSeconds: 3 })
    const lost = new Promise(resolve => {
      lease.signal.addEventListener('abort', () => resolve(lease.signal.reason))
    })
    const leases = lease.names.map(name => ({ name, token: lease.token(name) }))
    await as('ben').releaseLease({ leases })
    // The renewal in the background does not keep a program alive.
    const alive = setInterval(() => {}, 1000)
    assert.ok((await lost) instanceof LeaseLostError)
    clearInterval(alive)
    await lease[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]()
  },

  async tasks() {
    const { session_id } = await ada.createSession({ key: 'research', purpose: 'research' })
    await ada.createTasks({
      tasks: [
        { ref: 'read', title: 'read', session_id },
        { title: 'write', session_id, depends_on: ['read'] },
        { title: 'broken', session_id, max_attempts: 1 },
        { title: 'unsaid', session_id, max_attempts: 1 }
      ]
    })
    for await (const task of ben.work('research', { untilIdle: true, waitSeconds: 0 })) {
      if (task.title === 'broken') await task.fail(new Error('It is broken.'))
      else if (task.title !== 'unsaid') await task.complete({ by: task.title })
    }
    const { tasks } = await ada.listTasks({ session_id })
    assert.deepEqual(Object.fromEntries(tasks.map(({ title, state }) => [title, state])), {
      read: 'completed',
      write: 'completed',
      broken: 'failed',
      unsaid: 'failed'
    })
    const { task } = await ada.createTask({ title: 'long', session_id, lease_seconds: 60 })
    const stop = new AbortController()
    for await (const claimed of ben.work(session_id, { signal: stop.signal })) {
      await ask('restart')
      assert.equal((await claimed.update({ title: 'longer' })).title, 'longer')
      stop.abort()
    }
    const { task: left } = await ada.getTask({ task_id: task.task_id })
    assert.deepEqual([left.state, left.attempts], ['submitted', 0])
  },

  async langgraph() {
    const store = new SharedContextStore(ada, { root: 'of-a-runtime' })
    await store.put(['users', 'ada'], 'prefs', { theme: 'dark', n: 3 })
    assert.deepEqual((await store.get(['users', 'ada'], 'prefs')).value, { theme: 'dark', n: 3 })
    assert.equal((await store.search(['users'], { filter: { n: { $gte: 3 } } })).length, 1)
    const saver = new SharedContextSaver(ada, { root: 'checkpoints-of-a-runtime' })
    const checkpoint = {
      ...{ v: 4, id: '1f0a8cb2-0000-6000-8000-000000000001', ts: new Date().toISOString() },
      ...{ channel_values: { bytes: new Uint8Array([1, 255]) }, channel_versions: { bytes: 1 }, versions_seen: {} }
    }
    const config = await saver.put(
      { configurable: { thread_id: 'a', checkpoint_ns: '' } },
      checkpoint,
      { source: 'loop', step: 0, parents: {} },
      { bytes: 1 }
    )
    await saver.putWrites(config, [['more', 'é']], 'task')
    const tuple = await saver.getTuple({ configurable: { thread_id: 'a' } })
    assert.deepEqual([...tuple.checkpoint.channel_values.bytes], [1, 255])
    assert.deepEqual(tuple.pendingWrites, [['task', 'more', 'é']])
  }
}

for (const [name, run] of Object.entries(PARTS)) {
  await run()
  console.log(name)
}
// What goes on in the background must not keep a program that is done.
const { token } = ben.identity
await new SharedContext({ url, token, refreshToken: true }).listSessions({})
await ada.lease('left behind')
