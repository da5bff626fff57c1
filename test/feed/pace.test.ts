import t from 'tap'
import { createPace, gatheringPace, readingCost } from '../../src/feed/pace.js'

t.test('what is done at once needs no pause; beyond it the pause grows with the work, up to its bound', t => {
  // So slow that the time between two lines changes nothing.
  const pace = createPace(1, 50, 30_000)
  t.equal(pace.pause_ms(), 0)
  pace.spent(50)
  t.ok(pace.pause_ms() <= 1)
  pace.spent(10)
  const first = pace.pause_ms()
  t.ok(first > 0 && first <= 10_000, `${first}`)
  pace.spent(5)
  t.ok(pace.pause_ms() > first)
  pace.spent(1_000_000)
  t.ok(pace.pause_ms() <= 30_000)
  t.end()
})

t.test('after the pause there is none, and what was not used is not saved up', async t => {
  const pace = createPace(100, 10, 500)
  pace.spent(30)
  const pause = pace.pause_ms()
  await new Promise(resolve => {
    setTimeout(resolve, pause + 5)
  })
  t.equal(pace.pause_ms(), 0)
  await new Promise(resolve => {
    setTimeout(resolve, 1000)
  })
  // Less than this second would have saved, and half a second more than what is done at once.
  pace.spent(60)
  t.ok(pace.pause_ms() > 0)
})

t.test('a feed is read at once after a quiet time, and then so many times a second', t => {
  const pace = gatheringPace()
  t.equal(pace.pause_ms(), 0)
  for (let i = 0; i < 6; i++) pace.spent(readingCost(1))
  const pause = pace.pause_ms()
  t.ok(pause > 0 && pause <= 1000 / 15, `${pause}`)
  for (let i = 0; i < 20; i++) pace.spent(readingCost(200))
  const longest = pace.pause_ms()
  t.ok(longest > pause && longest <= 1000 / 5, `${longest}`)
  t.end()
})
