import type { Bench, Finding } from '../kit/bench.js'
import { type Service, startService } from '../kit/service.js'
import { median } from '../kit/rounds.js'

const WORKERS = 20
/** One after the other: how soon a worker wakes, and not how many tasks there can be at a time. */
const TASKS = 100
const BAR_MS = 15

/** How soon a worker that waits on one replica has a task that was made on another one. */
export async function claimWake(bench: Bench): Promise<Finding> {
  const database = await bench.postgres.createDatabase('claim_wake')
  const [here, there] = [
    await startService(bench.program, bench.cleanup, { database_url: database.url }),
    await startService(bench.program, bench.cleanup, { database_url: database.url })
  ]
  const claimed = new Map<string, (at: number) => void>()
  const over = new AbortController()
  const working = Promise.all(
    (await there.tokens(WORKERS)).map(token => work(there, token, over.signal, title => claimed.get(title)?.(now())))
  )
  // It is looked at in the end.
  working.catch(() => {})
  const p50s: number[] = []
  for (let round = 0; round <= bench.rounds; round++) {
    const delays: number[] = []
    for (let n = 0; n < TASKS; n++) {
      const title = `round ${round}, task ${n}`
      const began = now()
      const at = new Promise<number>(resolve => claimed.set(title, resolve))
      await here.call('create_task', { title })
      delays.push((await Promise.race([at, working.then(() => NaN)])) - began)
    }
    // The first round warms up.
    if (round > 0) p50s.push(median(delays))
    bench.say(`  p50 ${median(delays).toFixed(1)} ms`)
  }
  over.abort()
  await working
  for (const service of [here, there]) await service.stop()
  await database.drop()
  const p50 = median(p50s)
  return {
    rows: [
      {
        measure: 'a waiting claim_task has a task that is made on another replica: p50 from sending create_task',
        ...{ a: `${p50.toFixed(1)} ms`, b: '', ratio: '' },
        spread: `${Math.min(...p50s).toFixed(1)}–${Math.max(...p50s).toFixed(1)} ms`,
        bar: `≤ ${BAR_MS} ms`,
        verdict: p50 <= BAR_MS ? 'pass' : 'FAIL'
      }
    ],
    notes: [`claim-wake: ${WORKERS} workers wait, ${TASKS} tasks a round, one after the other`]
  }
}

const now = () => performance.now()

interface Claimed {
  task: { task_id: string; title: string } | null
  lease: { token: number } | null
}

async function work(service: Service, token: string, over: AbortSignal, got: (title: string) => void): Promise<void> {
  while (!over.aborted) {
    const { task, lease } = (await service.call('claim_task', { wait_seconds: 2 }, token)) as unknown as Claimed
    if (task === null) continue
    got(task.title)
    await service.call('complete_task', { task_id: task.task_id, lease_token: lease?.token }, token)
  }
}
