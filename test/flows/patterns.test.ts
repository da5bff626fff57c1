import { test } from 'tap'
import { API_KEY, listen, startApp } from '../helper.js'
import { authenticate, type Client } from './client.js'

test('sequential: each agent reads what the one before it wrote, and answers it', async t => {
  const url = await listen(await startApp(t))
  const stages = ['research', 'analysis', 'writing', 'review']
  const agents = await Promise.all(stages.map(stage => authenticate(url, `${stage}-agent`, 'pipeline', API_KEY)))
  const { session_id } = await agents[0]!.call('create_session', {
    purpose: 'A report',
    metadata: { pattern: 'sequential' }
  })

  for (const [i, agent] of agents.entries()) {
    const { messages, count } = await agent.call('get_messages', { session_id, limit: 10 })
    t.equal(count, i)
    const before = messages.at(-1)
    t.equal(before?.sender, i === 0 ? undefined : `${stages[i - 1]}-agent`, 'the last of the page is the newest')
    const task = await agent.call('search_context', { session_id, query: `Task ${i}`, fuzzy_threshold: 60 })
    t.equal(task.results.length, i === 0 ? 0 : 1)
    await agent.call('add_message', {
      session_id,
      content: `Task ${i + 1}: continue after ${stages[i]}`,
      parent_message_id: before?.id ?? null,
      metadata: { stage: stages[i] }
    })
  }
  const last = agents.at(-1) as Client
  for (const stage of stages)
    await last.call('add_message', { session_id, content: `Completed: ${stage}${' and so on'.repeat(40)}` })
  const { results } = await last.call('search_context', { session_id, query: 'completed' })
  t.same(
    results.map((result: any) => result.score),
    [100, 100, 100, 100],
    'all four, however long'
  )
})

test('parallel: many write at once, notes stay among their own kind, one gathers the results', async t => {
  const url = await listen(await startApp(t))
  const analysts = await Promise.all(
    Array.from({ length: 8 }, (_, i) => authenticate(url, `analyst-${i}`, 'analyst', API_KEY))
  )
  const moderator = await authenticate(url, 'moderator', 'moderator', API_KEY)
  const { session_id } = await moderator.call('create_session', { purpose: 'Compare' })
  await Promise.all(
    analysts.map(async (analyst, i) => {
      await analyst.call('add_message', { session_id, content: `Note ${i}`, visibility: 'agent_only' })
      await analyst.call('add_message', {
        session_id,
        content: `RESULT ${i}: fine`,
        metadata: { kind: 'result', score: i }
      })
    })
  )
  const seen = await moderator.call('get_messages', { session_id, limit: 100 })
  t.equal(seen.count, 8)
  t.notOk(seen.messages.some((message: any) => message.content.startsWith('Note')))
  t.equal((await analysts[0]!.call('get_messages', { session_id, limit: 100 })).count, 16)
  const { results } = await moderator.call('search_context', {
    session_id,
    query: 'RESULT',
    metadata_filter: { kind: 'result' },
    limit: 100
  })
  t.same(results.map((result: any) => result.message.metadata.score).sort(), [0, 1, 2, 3, 4, 5, 6, 7])
})

for (const workers of [3, 12]) {
  test(`coordinator and ${workers} workers: each finds its own assignment and nobody else's`, async t => {
    const url = await listen(await startApp(t))
    const names = Array.from({ length: workers }, (_, i) => `worker-${i + 1}`)
    const coordinator = await authenticate(url, 'coordinator', 'coordinator', API_KEY)
    const { session_id } = await coordinator.call('create_session', {
      purpose: 'Process the data',
      metadata: { pattern: 'coordinator-worker' }
    })
    for (const [i, name] of names.entries()) {
      await coordinator.call('add_message', {
        session_id,
        content: `TASK ASSIGNMENT: ${name} -> process part ${i + 1} of the data`,
        metadata: { task: `part ${i + 1}` }
      })
    }
    const own = async (worker: Client, name: string) => {
      const { results } = await worker.call('search_context', {
        session_id,
        query: `TASK ASSIGNMENT: ${name}`,
        fuzzy_threshold: 60,
        limit: 50
      })
      return results as any[]
    }
    await Promise.all(
      names.map(async (name, i) => {
        const worker = await authenticate(url, name, 'worker', API_KEY)
        const found = await own(worker, name)
        t.same(
          found.map(result => result.message.content),
          [`TASK ASSIGNMENT: ${name} -> process part ${i + 1} of the data`],
          name
        )
        t.equal(found[0].message.sender, 'coordinator')
        // A worker does whatever it finds: its own reports must not look like assignments.
        await worker.call('add_message', {
          session_id,
          content: `Acknowledged: process part ${i + 1} of the data`,
          parent_message_id: found[0].message.id
        })
        await worker.call('add_message', {
          session_id,
          content: `COMPLETED: process part ${i + 1} of the data`,
          metadata: { worker: name }
        })
        await worker.call('add_message', {
          session_id,
          content: `@coordinator: Task 'process part ${i + 1} of the data' completed by ${name}`
        })
        t.equal((await own(worker, name)).length, 1, `${name} still finds one assignment`)
      })
    )
    const { results } = await coordinator.call('search_context', { session_id, query: 'COMPLETED:', limit: 100 })
    const contents = results.map((result: any) => result.message.content as string)
    t.ok(
      contents.slice(0, workers).every((content: string) => content.startsWith('COMPLETED:')),
      'reports of completion come first'
    )
    t.equal(new Set(contents.slice(0, workers)).size, workers)
    t.notOk(contents.some((content: string) => content.startsWith('Acknowledged')))
    const everybody = await coordinator.call('search_context', { session_id, query: 'TASK ASSIGNMENT', limit: 100 })
    t.equal(everybody.message_count, workers)
  })
}
