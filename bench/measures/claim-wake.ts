import type { Bench, Finding } from '../kit/bench.js'
import { startService } from '../kit/service.js'
import { median } from '../kit/rounds.js'

const WORKERS = 20
const TASKS_PER_SECOND = 50
const BAR_MS = 15

/** How soon a worker that waits on one replica has a task that was made on another one. */
export async function claimWake(bench: Bench): Promise<Finding> {
  const database = await bench.postgres.createDatabase('claim_wake')
  const [here, there] = [
    await startService(bench.program, bench.cleanup, { database_url: database.url }),
    await startService(bench.program, bench.cleanup, { database_url: database.url })
  ]
  const tokens = await there.tokens(WORKERS)
  const delays: number[] = []
  let over = false
  const workers = tokens.map(async token => {
    while (!over) {
      const claimed = await there.call('claim_task', { wait_seconds: 2 }, token)
      const { task, lease } = claimed as unknown as Claimed
      if (task === null) continue
      delays.push(performance.now() - Number(task.title))
      await there.call('complete_task', { task_id: task.task_id, lease_token: lease?.token }, token)
    }
  })
  const p50s: number[] = []
  const seconds = bench.seconds * 2
  for (let round = 0; round <= bench.rounds; round++) {
    delays.length = 0
    const made: Array<Promise<unknown>> = []
    const began = performance.now()
    for (let n = 0; n < TASKS_PER_SECOND * seconds; n++) {
      const wait = began + (n * 1000) / TASKS_PER_SECOND - performance.now()
      if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait))
      made.push(here.call('create_task', { title: performance.now().toFixed(3) }))
    }
    await Promise.all(made)
    while (delays.length < made.length) await new Promise(resolve => setTimeout(resolve, 10))
    // The first round warms up.
    if (round > 0) p50s.push(median(delays))
    bench.say(`  p50 ${median(delays).toFixed(1)} ms`)
  }
  over = true
  await Promise.all(workers)
  for (const service of [here, there]) await service.stop()
  await database.drop()
  const p50 = median(p50s)
  return {
    rows: [
      {
        measure: `a waiting claim_task has a task made on another replica, p50 of ${TASKS_PER_SECOND} a second`,
        ...{ a: `${p50.toFixed(1)} ms`, b: '', ratio: '' },
        spread: `${Math.min(...p50s).toFixed(1)}–${Math.max(...p50s).toFixed(1)} ms`,
        bar: `≤ ${BAR_MS} ms`,
        verdict: p50 <= BAR_MS ? 'pass' : 'FAIL'
      }
    ],
    notes: [`claim-wake: ${WORKERS} workers wait; from sending create_task until claim_task is answered`]
  }
}

interface Claimed {
  task: { task_id: string; title: string } | null
  lease: { token: number } | null
}
