import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { ROOT } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import type { Played, Share } from './lanes.js'

/**
 * Random agents of two workspaces do random things, and every answer is what a small model in memory says. SEED=…
 * plays the same again, STEPS=… more of it (npm run model: 60 000). What fails is shrunk to few steps before it is
 * told.
 */

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
const STEPS = Number(process.env.STEPS ?? 6000)
const THREADS = 2

// A machine may be slow.
t.setTimeout(1_800_000)

async function inThread(share: Share): Promise<Played> {
  const worker = new Worker(pathToFileURL(join(import.meta.dirname, 'lanes.ts')), {
    workerData: share,
    execArgv: [`--import=${pathToFileURL(join(ROOT, 'test', 'support', 'typescript.mjs')).href}`]
  })
  return new Promise((resolve, reject) => {
    worker
      .once('message', resolve)
      .once('error', reject)
      .once('exit', code => {
        reject(new Error(`The thread ended with ${code}`))
      })
  })
}

t.test(`at least ${STEPS} steps, SEED=${SEED}`, { timeout: 1_800_000 }, async t => {
  t.comment(`SEED=${SEED}`)
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  // Seeds of the threads lie apart, so that they do not play the same.
  const shares = await Promise.all(
    Array.from({ length: THREADS }, (_, i) =>
      inThread({ url, name: String(i), seed: SEED + i * 1_000_003, steps: Math.ceil(STEPS / THREADS) })
    )
  )
  const failures = shares.flatMap(({ failure }) => failure ?? [])
  for (const failure of failures) t.fail(failure)
  t.equal(failures.length, 0, "every answer is the model's")
  const sum = (of: (share: Played) => number) => shares.reduce((all, share) => all + of(share), 0)
  const played = sum(({ steps }) => steps)
  t.ok(failures.length > 0 || played >= STEPS, `${played} steps in ${sum(({ sequences }) => sequences)} sequences`)
  for (const tool of Object.keys(Object.assign({}, ...shares.map(({ outcomes }) => outcomes)) as object)) {
    const [done, refused] = [
      sum(({ outcomes }) => outcomes[tool]?.done ?? 0),
      sum(({ outcomes }) => outcomes[tool]?.refused ?? 0)
    ]
    t.ok(
      failures.length > 0 || (20 * done > refused && refused > 0),
      `${tool}: ${done} did what was asked for, ${refused} were refused`
    )
  }
})
