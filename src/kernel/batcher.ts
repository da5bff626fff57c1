/** What a batcher does, and how much at a time. `I` is an item, `A` its answer. */
export interface BatcherOptions<I, A> {
  /**
   * Does the work of one batch and answers its items, in their order. An answer may be a promise: then the item waits
   * for it, and the batch does not. An error that `flush` throws is the answer to all items of the batch.
   */
  flush: (items: I[], group: string) => Promise<Array<A | Promise<A>>>
  /** Items of different groups are never in one batch. By default all items are of the group ''. */
  group?: (item: I) => string
  /** Two items with the same key are never in one batch: the second waits for the next. */
  key?: (item: I) => string | undefined
  /** What an item takes of a batch, at least 0; 1 by default. */
  weight?: (item: I) => number
  /** Most weight of a batch. A heavier item has a batch to itself. */
  weight_max: number
  /** Most batches of one group in flight at the same time, from 1. */
  group_in_flight_max: number
  /** Most batches of all groups in flight at the same time, from 1; no limit by default. */
  in_flight_max?: number
  /**
   * A group's next batch begins beside others of the group only when these have been in flight for so many
   * milliseconds: it is for batches that wait for something. 0, the default: at once.
   */
  slow_ms?: number
  /**
   * Whether an error that `flush` threw may be the fault of one item, and nothing of the batch has been done. Then each
   * item is flushed again by itself, one after the other. By default no error is.
   */
  isItemFault?: (error: unknown) => boolean
}

export interface Batcher<I, A> {
  /** @returns the item's answer @throws what `flush` threw, or what the item's own answer was rejected with */
  add: (item: I) => Promise<A>
  /** Whether items of the group wait or are in flight. */
  has: (group: string) => boolean
  /** Waits until no item waits and no batch is in flight. */
  idle: () => Promise<void>
}

interface Queued<I, A> {
  item: I
  key: string | undefined
  weight: number
  resolve: (answer: A | Promise<A>) => void
  reject: (error: unknown) => void
}

interface Group<I, A> {
  queue: Array<Queued<I, A>>
  in_flight: Set<{ begun_at: number }>
}

/**
 * Sends items that are added at the same time through one `flush`: a round trip, a plan and a commit serve many calls.
 *
 * No item waits for a clock. The first one begins a batch at the end of the event loop's turn, so that the requests
 * which were read in this turn are in it too. Items that are added while a batch is in flight go together in the next.
 * So each flush begins after its items were added: it sees whatever was committed before.
 *
 * A group's items are flushed in the order in which they were added, except that an item whose key is in the batch
 * already lets others pass. Groups take turns: the one that began a batch last comes last.
 */
export function createBatcher<I, A>({
  flush,
  group: groupOf = () => '',
  key: keyOf = () => undefined,
  weight: weightOf = () => 1,
  weight_max,
  group_in_flight_max,
  in_flight_max = Infinity,
  slow_ms = 0,
  isItemFault = () => false
}: BatcherOptions<I, A>): Batcher<I, A> {
  /** Those that have items or batches, in the order of their turns. */
  const groups = new Map<string, Group<I, A>>()
  let in_flight = 0
  let scheduled = false
  let slow_timer: NodeJS.Timeout | undefined
  let whenIdle: Array<() => void> = []

  function schedule(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      beginBatches()
    })
  }

  function beginBatches(): void {
    const now = performance.now()
    let wait_ms = Infinity
    for (const [name, group] of groups) {
      if (in_flight >= in_flight_max) return
      if (group.queue.length === 0 || group.in_flight.size >= group_in_flight_max) continue
      const group_wait_ms = untilSlow(group, now)
      if (group_wait_ms > 0) wait_ms = Math.min(wait_ms, group_wait_ms)
      else {
        void run(name, group, takeBatch(group), now)
        // The group comes last from now on. This loop meets it again there.
        groups.delete(name)
        groups.set(name, group)
      }
    }
    if (wait_ms < Infinity)
      slow_timer ??= setTimeout(() => {
        slow_timer = undefined
        schedule()
      }, wait_ms).unref()
    if (groups.size === 0) {
      for (const resolve of whenIdle) resolve()
      whenIdle = []
    }
  }

  /** Milliseconds until all of the group's batches in flight count as slow. */
  function untilSlow({ in_flight }: Group<I, A>, now: number): number {
    if (slow_ms === 0) return 0
    let wait_ms = 0
    for (const { begun_at } of in_flight) wait_ms = Math.max(wait_ms, begun_at + slow_ms - now)
    return wait_ms
  }

  function takeBatch(group: Group<I, A>): Array<Queued<I, A>> {
    const batch: Array<Queued<I, A>> = []
    const passed: Array<Queued<I, A>> = []
    const keys = new Set<string>()
    let sum = 0
    for (const one of group.queue) {
      const { key, weight } = one
      if (key !== undefined && keys.has(key)) {
        passed.push(one)
        continue
      }
      sum += weight
      if (batch.length > 0 && sum > weight_max) break
      if (key !== undefined) keys.add(key)
      batch.push(one)
    }
    group.queue = passed.concat(group.queue.slice(batch.length + passed.length))
    return batch
  }

  async function run(name: string, group: Group<I, A>, batch: Array<Queued<I, A>>, begun_at: number): Promise<void> {
    const flight = { begun_at }
    in_flight++
    group.in_flight.add(flight)
    await flushAndSettle(name, batch)
    in_flight--
    group.in_flight.delete(flight)
    if (group.queue.length === 0 && group.in_flight.size === 0) groups.delete(name)
    if (groups.size > 0 || whenIdle.length > 0) schedule()
  }

  async function flushAndSettle(name: string, batch: Array<Queued<I, A>>): Promise<void> {
    try {
      const answers = await flush(
        batch.map(({ item }) => item),
        name
      )
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i] as A | Promise<A>)
    } catch (error) {
      if (batch.length > 1 && isItemFault(error)) for (const one of batch) await flushAndSettle(name, [one])
      else for (const { reject } of batch) reject(error)
    }
  }

  return {
    add: item =>
      new Promise((resolve, reject) => {
        const name = groupOf(item)
        const queued = { item, key: keyOf(item), weight: weightOf(item), resolve, reject }
        let group = groups.get(name)
        if (group === undefined) groups.set(name, (group = { queue: [], in_flight: new Set() }))
        group.queue.push(queued)
        // Where it cannot begin, the end of a batch schedules the next.
        if (in_flight < in_flight_max && group.in_flight.size < group_in_flight_max) schedule()
      }),
    has: group => groups.has(group),
    idle: () =>
      new Promise(resolve => {
        whenIdle.push(resolve)
        schedule()
      })
  }
}
