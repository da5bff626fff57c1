import t from 'tap'
import { createOutbox } from '../../src/mcp/subscriptions/outbox.js'
import { eventually } from './clients.js'

t.test('what waits for a client is each URI once', async t => {
  const sent: string[] = []
  let read = () => {}
  const blocked = new Promise<void>(resolve => {
    read = resolve
  })
  const outbox = createOutbox(
    uri => {
      sent.push(uri)
    },
    () => blocked
  )
  for (let i = 0; i < 1000; i++) outbox.updated(`session://${i % 3}`)
  await new Promise(resolve => {
    setTimeout(resolve, 300)
  })
  t.same(sent, [])
  read()
  await eventually(
    async () => sent.length,
    length => length >= 3
  )
  t.same(sent, ['session://0', 'session://1', 'session://2'])
  outbox.updated('session://0')
  outbox.close()
  await new Promise(resolve => {
    setTimeout(resolve, 300)
  })
  t.equal(sent.length, 3, 'nothing after the end')
})

t.test('what changes while it is sent is sent again, after a pause', async t => {
  const sent: number[] = []
  const outbox = createOutbox(
    () => {
      sent.push(performance.now())
      if (sent.length < 3) outbox.updated('session://0')
    },
    () => undefined
  )
  outbox.updated('session://0')
  await eventually(
    async () => sent.length,
    length => length === 3
  )
  t.equal(sent.length, 3)
  t.ok((sent[2] as number) - (sent[0] as number) >= 190, 'a round at most every 100 ms')
  outbox.close()
})
