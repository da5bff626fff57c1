import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** search_by_sender and search_by_timerange. */

const app = await startApp(t)

t.test('search_by_sender: newest first', async t => {
  const session_id = await newSession(app)
  for (let i = 0; i < 5; i++)
    for (const agent_id of ['ann', 'bob'])
      await ok(
        app,
        'add_message',
        { session_id, content: `${i}`, visibility: i === 4 ? 'private' : 'public' },
        { agent_id }
      )
  const by = async (sender: string, args = {}, as = {}) =>
    (await ok(app, 'search_by_sender', { session_id, sender, ...args }, as)).messages.map(
      (message: any) => message.content
    )
  t.same(await by('ann'), ['3', '2', '1', '0'])
  t.same(await by('ann', {}, { agent_id: 'ann' }), ['4', '3', '2', '1', '0'])
  t.same(await by('ann', { limit: 2 }), ['3', '2'])
  t.same(await by('Ann'), [])
  t.match(await ok(app, 'search_by_sender', { session_id, sender: 'nobody' }), { sender: 'nobody', count: 0 })
  isFailure(t, await call(app, 'search_by_sender', { session_id, sender: 'ann', limit: 101 }), 'INVALID_INPUT')
})

t.test('search_by_timerange', async t => {
  const session_id = await newSession(app)
  const times = [
    '2026-01-30T23:59:59.999Z',
    '2026-01-31T00:00:00.000Z',
    '2026-01-31T12:00:00.500Z',
    '2026-01-31T23:59:59.999Z',
    '2026-02-01T00:00:00.000Z'
  ]
  const { message_ids } = await ok(app, 'add_messages', {
    session_id,
    messages: times.map((_, i) => ({ content: `${i}` }))
  })
  // Only the database's clock stamps messages: a past one is made here.
  for (const [i, timestamp] of times.entries())
    await app.database.db.updateTable('messages').set({ timestamp }).where('id', '=', message_ids[i]).execute()
  const within = async (start_time: string, end_time: string, args = {}) =>
    (await ok(app, 'search_by_timerange', { session_id, start_time, end_time, ...args })).messages.map((message: any) =>
      Number(message.content)
    )

  t.same(await within('2026-01-01', '2026-12-31'), [0, 1, 2, 3, 4], 'oldest first')
  t.same(await within('2026-01-01', '2026-12-31', { limit: 2 }), [0, 1])
  t.same(await within(times[1] as string, times[3] as string), [1, 2, 3], 'both ends included')
  t.same(await within(times[2] as string, times[2] as string), [2], 'a single moment')
  t.same(await within('2026-01-31', '2026-01-31'), [1, 2, 3], 'a date as the end covers its day')
  t.same(await within('2026-01-31T00:00:00', '2026-01-31T12:00'), [1], 'without an offset it is UTC')
  t.same(await within('2026-01-31T01:00:00+01:00', '2026-01-31T18:30:00.5+0630'), [1, 2], 'offsets')
  t.same(await within('2026-01-30T19:00:00-05:00', '2026-01-31t12:00:00.500z'), [1, 2])
  t.same(
    await within('2026-01-31 00:00:00Z', '2026-01-31 00:00:00.000999Z'),
    [1],
    'a space for the T, and finer fractions'
  )
  t.same(
    (
      await ok(app, 'search_by_timerange', {
        session_id,
        start_time: '2026-01-31',
        end_time: '2026-01-31T12:00:00+02:00'
      })
    ).timerange,
    { start: '2026-01-31T00:00:00.000Z', end: '2026-01-31T10:00:00.000Z' },
    'what it was taken for'
  )

  for (const bad of [
    'yesterday',
    '',
    '31.01.2026',
    '2026-1-31',
    '2026-02-30',
    '2026-13-01',
    '2025-02-29',
    '2026-01-31T25:00:00Z',
    '2026-01-31T12:61:00Z',
    '20260131',
    '1769860800',
    '2026-01-31T12:00:00+99:00',
    '0000-01-01',
    '99999-01-01',
    'now()',
    'infinity',
    'epoch'
  ]) {
    const answer = await call(app, 'search_by_timerange', { session_id, start_time: bad, end_time: '2026-01-31' })
    isFailure(t, answer, 'INVALID_DATETIME', bad)
    t.match(answer.body.context, { argument: 'start_time' })
  }
  t.same(await within('2024-02-29', '0999-01-01'.replace('0999', '2999')), [0, 1, 2, 3, 4], 'a leap day')
  isFailure(
    t,
    await call(app, 'search_by_timerange', { session_id, start_time: '2026-02-01', end_time: '2026-01-31' }),
    'INVALID_DATETIME',
    'it ends before it starts'
  )
  isFailure(
    t,
    await call(app, 'search_by_timerange', {
      session_id,
      start_time: '2026-02-01',
      end_time: '2026-02-01',
      limit: 201
    }),
    'INVALID_INPUT'
  )
  t.same(await within('0001-01-01', '9999-12-31'), [0, 1, 2, 3, 4])
})
