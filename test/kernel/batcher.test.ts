import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { type BatcherOptions, createBatcher } from '../../src/kernel/batcher.js'

/** Batches that stay in flight until a test ends them. An item is a string, and is answered by itself. */
function byHand(options: Partial<BatcherOptions<string, string>> = {}) {
  const batches: Array<{ items: string[]; group: string; end: (error?: Error) => void }> = []
  const batcher = createBatcher<string, string>({
    weight_max: 100,
    group_in_flight_max: 1,
    flush: (items, group) =>
      new Promise((resolve, reject) => {
        batches.push({
          items,
          group,
          end(error) {
            if (error === undefined) resolve(items)
            else reject(error)
          }
        })
      }),
    ...options
  })
  const seen = () => batches.map(({ items }) => items.join(' '))
  return { batcher, batches, seen }
}

const turn = () => new Promise(setImmediate)
const initial = (item: string) => item[0] as string

t.test('items of one turn go together, and those that come meanwhile in the next batch', async t => {
  const { batcher, batches, seen } = byHand()
  const answers = ['a', 'b'].map(batcher.add)
  t.same(seen(), [], 'nothing begins before the turn is over')
  await turn()
  t.same(seen(), ['a b'])
  answers.push(...['c', 'd'].map(batcher.add))
  await turn()
  answers.push(batcher.add('e'))
  await turn()
  t.same(seen(), ['a b'])
  batches[0]?.end()
  await turn()
  await turn()
  t.same(seen(), ['a b', 'c d e'])
  batches[1]?.end()
  t.same(await Promise.all(answers), ['a', 'b', 'c', 'd', 'e'])
})

t.test('a batch has at most its weight, in the order of the items; one that is heavier goes alone', async t => {
  const { batcher, seen } = byHand({ weight: Number, weight_max: 10, group_in_flight_max: 9 })
  void ['4', '6', '3', '8', '1', '50', '0', '10'].map(batcher.add)
  await turn()
  t.same(seen(), ['4 6', '3', '8 1', '50', '0 10'])
})

t.test('two items with one key are never in one batch, and stay in their order', async t => {
  const { batcher, batches, seen } = byHand({ key: item => (item.startsWith('-') ? undefined : initial(item)) })
  void ['a1', 'a2', 'b1', '-', '-', 'a3', 'b2'].map(batcher.add)
  for (let i = 0; i < 3; i++) {
    await turn()
    batches[i]?.end()
    await turn()
  }
  t.same(seen(), ['a1 b1 - -', 'a2 b2', 'a3'])
})

t.test('groups are apart and take turns, however many items one has', async t => {
  const { batcher, batches, seen } = byHand({ group: initial, weight_max: 2, in_flight_max: 2 })
  void ['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'c1', 'c2', 'c3'].map(batcher.add)
  await turn()
  t.same(seen(), ['a1 a2', 'b1'], 'two in flight, of one group only one')
  batches[0]?.end()
  await turn()
  await turn()
  t.same(seen().slice(2), ['c1 c2'], 'who has not had a turn is before who has')
  batches[1]?.end()
  await turn()
  await turn()
  t.same(seen().slice(3), ['a3 a4'])
  batches[2]?.end()
  await turn()
  await turn()
  t.same(seen().slice(4), ['c3'])
  t.same(
    batches.map(({ group }) => group),
    ['a', 'b', 'c', 'a', 'c']
  )
  t.equal(batcher.has('a'), true)
  t.equal(batcher.has('b'), false)
})

t.test('several batches of one group may be in flight', async t => {
  const { batcher, seen } = byHand({ weight_max: 1, group_in_flight_max: 2 })
  void ['a', 'b', 'c'].map(batcher.add)
  await turn()
  t.same(seen(), ['a', 'b'])
})

t.test('beside a slow batch another of its group begins, but not beside a quick one', async t => {
  const { batcher, batches, seen } = byHand({ group: initial, group_in_flight_max: 2, slow_ms: 500 })
  const begun = performance.now()
  void batcher.add('a1')
  await turn()
  void batcher.add('a2')
  void batcher.add('b1')
  await turn()
  t.same(seen(), ['a1', 'b1'], 'another group has nothing to do with it')
  while (batches.length < 3) await sleep(1)
  t.ok(performance.now() - begun >= 490, 'it begins by itself, when the first is slow')
  void batcher.add('a3')
  await sleep(600)
  t.equal(batches.length, 3, 'and no third')
  batches[2]?.end()
  await turn()
  await turn()
  t.same(seen(), ['a1', 'b1', 'a2', 'a3'], 'where only the slow one is left, the next begins at once')
})

t.test('what a flush throws is the answer to all of its items, and to no others', async t => {
  const { batcher, batches } = byHand({ weight_max: 2 })
  const answers = ['a', 'b', 'c'].map(batcher.add)
  await turn()
  const fault = new Error('connection lost')
  batches[0]?.end(fault)
  await t.rejects(answers[0] as Promise<string>, fault)
  await t.rejects(answers[1] as Promise<string>, fault)
  await turn()
  batches[1]?.end()
  t.equal(await answers[2], 'c')
})

t.test('an item that cannot be flushed does not fail the others', async t => {
  const bad = new RangeError('bad item')
  const flushed: string[] = []
  const batcher = createBatcher<string, string>({
    weight_max: 100,
    group_in_flight_max: 1,
    isItemFault: error => error instanceof RangeError,
    async flush(items) {
      flushed.push(items.join(' '))
      await turn()
      if (items.includes('bad')) throw bad
      return items
    }
  })
  const answers = await Promise.allSettled(['a', 'bad', 'c'].map(batcher.add))
  t.same(
    answers.map(answer => (answer.status === 'fulfilled' ? answer.value : answer.reason)),
    ['a', bad, 'c']
  )
  t.same(flushed, ['a bad c', 'a', 'bad', 'c'])
})

t.test('an item of which nothing can be known is refused by itself', async t => {
  const batcher = createBatcher<string, string>({
    weight_max: 100,
    group_in_flight_max: 1,
    weight(item) {
      if (item === 'bad') throw new RangeError('bad item')
      return 1
    },
    flush: items => Promise.resolve(items)
  })
  const [a, bad, c] = await Promise.allSettled(['a', 'bad', 'c'].map(batcher.add))
  t.match([a, bad, c], [{ value: 'a' }, { reason: /bad item/ }, { value: 'c' }])
})

t.test('an answer may be a promise: its item waits for it, the next batch does not', async t => {
  let answerLate = (_answer: string) => {}
  const late = new Promise<string>(resolve => {
    answerLate = resolve
  })
  const batcher = createBatcher<string, string>({
    weight_max: 3,
    group_in_flight_max: 1,
    flush: items =>
      Promise.resolve(
        items.map(item => (item === 'late' ? late : item === 'refused' ? Promise.reject(new Error('refused')) : item))
      )
  })
  const settled: string[] = []
  const answers = ['late', 'refused', 'c', 'd'].map(async item => {
    await batcher.add(item).catch(() => {})
    settled.push(item)
  })
  await Promise.all(answers.slice(1))
  t.same(settled.slice().sort(), ['c', 'd', 'refused'], 'the others do not wait for it')
  answerLate('late')
  await Promise.all(answers)
  t.equal(settled.at(-1), 'late')
  await t.rejects(batcher.add('refused'), /refused/)
})

t.test('idle waits for all that waits and is in flight, also for what its answers add', async t => {
  const { batcher, batches, seen } = byHand()
  await batcher.idle()
  void batcher.add('a').then(() => batcher.add('b'))
  let idle = false
  const whenIdle = batcher.idle().then(() => (idle = true))
  await turn()
  batches[0]?.end()
  await turn()
  await turn()
  t.same(seen(), ['a', 'b'])
  t.equal(idle, false)
  batches[1]?.end()
  await whenIdle
  t.equal(batcher.has(''), false)
})

t.test('whatever is added, and whenever: each item is flushed once, within the limits, and has its own answer', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          group: fc.constantFrom('a', 'b', 'c'),
          key: fc.option(fc.constantFrom('k', 'l'), { nil: undefined }),
          weight: fc.integer({ min: 0, max: 12 }),
          bad: fc.nat(9).map(n => n === 0),
          /** Turns before it is added. */
          after: fc.nat(6)
        }),
        { maxLength: 60 }
      ),
      fc.array(fc.record({ turns: fc.nat(4), breaks: fc.nat(9).map(n => n === 0) }), { minLength: 1, maxLength: 8 }),
      fc.record({
        weight_max: fc.integer({ min: 1, max: 20 }),
        group_in_flight_max: fc.integer({ min: 1, max: 3 }),
        in_flight_max: fc.integer({ min: 1, max: 4 })
      }),
      async (items, flights, limits) => {
        type Item = (typeof items)[number]
        const done = new Map<Item, number>()
        const faults: string[] = []
        const check = (holds: boolean, what: string) => holds || faults.push(what)
        const begun: Item[] = []
        const in_flight: string[] = []
        let n = 0
        const batcher = createBatcher<Item, Item>({
          ...limits,
          group: ({ group }) => group,
          key: ({ key }) => key,
          weight: ({ weight }) => weight,
          isItemFault: error => error instanceof RangeError,
          async flush(batch, group) {
            const flight = flights[n++ % flights.length] as (typeof flights)[number]
            in_flight.push(group)
            check(in_flight.length <= limits.in_flight_max, 'too many batches')
            check(in_flight.filter(g => g === group).length <= limits.group_in_flight_max, 'too many of a group')
            const weight = batch.reduce((sum, item) => sum + item.weight, 0)
            check(batch.length === 1 || weight <= limits.weight_max, 'too heavy')
            check(
              batch.every(item => item.group === group),
              'groups mixed'
            )
            const keys = batch.flatMap(({ key }) => key ?? [])
            check(new Set(keys).size === keys.length, 'a key twice')
            for (const item of batch) if (!begun.includes(item)) begun.push(item)
            for (let i = 0; i < flight.turns; i++) await turn()
            in_flight.splice(in_flight.indexOf(group), 1)
            if (batch.some(({ bad }) => bad)) throw new RangeError('bad item')
            if (flight.breaks) throw new Error('connection lost')
            for (const item of batch) done.set(item, (done.get(item) ?? 0) + 1)
            return batch
          }
        })
        const added: Item[] = []
        const answers = await Promise.allSettled(
          items.map(async item => {
            for (let i = 0; i < item.after; i++) await turn()
            added.push(item)
            return batcher.add(item)
          })
        )
        await batcher.idle()
        for (const [i, answer] of answers.entries()) {
          const item = items[i] as Item
          if (answer.status === 'fulfilled') {
            check(answer.value === item, 'the answer of another')
            check(done.get(item) === 1 && !item.bad, 'answered, and not done once')
          } else {
            const { message } = answer.reason as Error
            check(message === (item.bad ? 'bad item' : 'connection lost'), `fails by ${message}`)
            check(!done.has(item), 'done, and not answered')
          }
        }
        const inOrder = (which: (item: Item) => boolean, what: string) =>
          check(JSON.stringify(begun.filter(which)) === JSON.stringify(added.filter(which)), `order of ${what}`)
        for (const of of ['a', 'b', 'c']) {
          inOrder(({ group, key }) => group === of && key === undefined, `group ${of} without keys`)
          for (const k of ['k', 'l']) inOrder(({ group, key }) => group === of && key === k, `${of} ${k}`)
        }
        if (faults.length > 0) throw new Error(faults.join(', '))
      }
    ),
    { numRuns: 300 }
  )
)
