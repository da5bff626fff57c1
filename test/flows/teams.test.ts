import { test } from 'tap'
import { API_KEY, listen, startApp } from '../helper.js'
import { authenticate, bearing } from './client.js'

test('a research team of three shares one token', async t => {
  const url = await listen(await startApp(t))
  const team = await authenticate(url, 'research-team', 'autogen', API_KEY)
  const { session_id } = await team.call('create_session', {
    purpose: 'Effects of sleep on memory',
    metadata: { framework: 'autogen' }
  })
  t.match(session_id, /^session_[0-9a-f]{16}$/)

  const members = ['researcher', 'critic', 'writer'].map(name => ({ name, ...bearing(url, team.token) }))
  const written = await Promise.all(
    members.map(({ name, call }) =>
      call('add_message', {
        session_id,
        content: `Finding of the ${name}`,
        visibility: 'public',
        metadata: { agent: name, round: 1 }
      })
    )
  )
  for (const { message_id } of written) t.ok(Number.isInteger(message_id))

  for (const { call } of members) {
    const { messages, count } = await call('get_messages', { session_id, limit: 10 })
    t.equal(count, 3)
    t.same(
      messages.map((message: any) => message.sender),
      ['research-team', 'research-team', 'research-team']
    )
    t.same(messages.map((message: any) => message.metadata.agent).sort(), ['critic', 'researcher', 'writer'])
  }
  const { results } = await team.call('search_context', {
    session_id,
    query: 'Finding of the critic',
    fuzzy_threshold: 60,
    limit: 5
  })
  t.equal(results[0].message.metadata.agent, 'critic')
  t.equal(results[0].score, 100)

  // One of them remembers, the others recall: the memory is the token's agent's.
  await members[0]?.call('set_memory', { key: 'conclusion', value: { text: 'Sleep helps', sure: true }, session_id })
  t.same((await members[2]?.call('get_memory', { key: 'conclusion', session_id })).value, {
    text: 'Sleep helps',
    sure: true
  })
})

test('a crew works in threads, at the same time', async t => {
  const url = await listen(await startApp(t))
  const roles = ['analyst', 'engineer', 'designer', 'tester', 'lawyer']
  const crew = await Promise.all(roles.map(role => authenticate(url, role, 'crewai', API_KEY)))
  const lead = await authenticate(url, 'lead', 'crewai', API_KEY)
  const { session_id } = await lead.call('create_session', { purpose: 'Launch the tea subscription' })

  const tasks = await Promise.all(
    roles.map(role => lead.call('add_message', { session_id, content: `Task for the ${role}`, metadata: { role } }))
  )
  const answers = await Promise.all(
    crew.flatMap((member, i) =>
      [1, 2, 3].map(n =>
        member.call('add_message', {
          session_id,
          content: `Step ${n} of the ${roles[i]}`,
          parent_message_id: tasks[i].message_id
        })
      )
    )
  )
  t.equal(new Set(answers.map(answer => answer.message_id)).size, 15)
  const seqs = [...tasks, ...answers].map(answer => answer.seq as number).sort((a, b) => a - b)
  t.same(
    seqs,
    Array.from({ length: 20 }, (_, i) => i + 1),
    'seq leaves no gap, however many write at once'
  )

  for (const [i, member] of crew.entries()) {
    const { messages, count } = await member.call('get_messages', {
      session_id,
      parent_message_id: tasks[i].message_id
    })
    t.equal(count, 3)
    t.ok(
      messages.every((message: any) => message.sender === roles[i] && message.parent_message_id === tasks[i].message_id)
    )
    t.equal((await member.call('search_by_sender', { session_id, sender: roles[i] })).count, 3)
  }
  const { session, message_count } = await lead.call('get_session', { session_id })
  t.equal(message_count, 20)
  t.same([...session.participants].sort(), [...roles, 'lead'].sort())
})

test('a crew member follows the session with after_seq while others write, and misses nothing', async t => {
  const url = await listen(await startApp(t))
  const [reader, ...writers] = await Promise.all(
    ['reader', 'a', 'b', 'c'].map(name => authenticate(url, name, 'crewai', API_KEY))
  )
  const { session_id } = await reader!.call('create_session', { purpose: 'Follow' })
  const writing = Promise.all(
    writers.map(async writer => {
      for (let n = 0; n < 20; n++)
        await writer.call('add_message', {
          session_id,
          content: `${n}`,
          visibility: n % 5 === 0 ? 'private' : 'public'
        })
    })
  )
  const seen: number[] = []
  let finished = false
  void writing.then(() => {
    finished = true
  })
  for (let after_seq = 0; ;) {
    const last = finished
    const page = await reader!.call('get_messages', { session_id, after_seq, limit: 7 })
    seen.push(...page.messages.map((message: any) => message.seq as number))
    after_seq = page.last_seq
    if (!page.has_more && last) break
  }
  await writing
  t.same(
    seen,
    [...seen].sort((a, b) => a - b),
    'in order'
  )
  t.equal(new Set(seen).size, 48, 'each public message, once')
  t.equal(seen.length, 48)
})
