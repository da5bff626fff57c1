import fc from 'fast-check'
import t from 'tap'
import { call, startApp } from '../helper.js'
import { play, type Send } from './play.js'
import { AGENTS, step } from './steps.js'

/**
 * Random agents of two workspaces do random things, and every answer is what a small model in memory says. SEED=… plays the same
 * again, STEPS=… more of it. What fails is shrunk to few steps before it is told.
 */

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
const STEPS = Number(process.env.STEPS ?? 20_000)
const LANES = 4
/** Steps of one sequence at most, and sequences of one look at the clock. */
const LENGTH = 1000
const ROUNDS = 2
const SHRINKING_MS = 60_000

// A machine may be slow.
t.setTimeout(600_000)
const app = await startApp(t, { DATABASE_POOL_MAX: '12' })
let played = 0
let sequences = 0
/** How often each tool did what it was asked for, and how often it refused. */
const outcomes = new Map<string, { done: number, refused: number }>()

/** Each sequence has two workspaces of its own, so that many can be played at the same time. */
function onNewWorkspaces (): Send {
  const n = ++sequences
  const tokens = [0, 1].map(workspace => AGENTS.map((agent, i) => app.kernel.service.tokens.sign({ ...agent, workspace: `model-${n}-${workspace}` }, `jti-${n}-${workspace}-${i}`).token))
  return async (tool, args, { workspace, agent }) => {
    const answer = await call(app, tool, args, { token: tokens[workspace]?.[agent] as string })
    const of = outcomes.get(tool) ?? { done: 0, refused: 0 }
    of[answer.status === 200 ? 'done' : 'refused']++
    outcomes.set(tool, of)
    return answer
  }
}

t.test(`at least ${STEPS} steps, SEED=${SEED}`, { timeout: 600_000 }, async t => {
  t.comment(`SEED=${SEED}`)
  let failure: string | undefined
  await Promise.all(Array.from({ length: LANES }, async (_, lane) => {
    for (let round = 0; played < STEPS && failure === undefined; round++) {
      const found = await fc.check(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: LENGTH, size: 'max' }), async steps => {
        const wrong = await play(steps, onNewWorkspaces(), () => { played++ })
        if (wrong !== undefined) throw new Error(wrong)
      }), { seed: SEED + lane + round * LANES, numRuns: ROUNDS, unbiased: true, interruptAfterTimeLimit: SHRINKING_MS, markInterruptAsFailure: false })
      // One that was only cut short, on a slow machine, has no counterexample.
      if (found.failed && found.counterexample !== null) failure ??= `SEED=${SEED}, lane ${lane}, round ${round}: ${String(found.errorInstance)}\nafter these steps:\n${JSON.stringify(found.counterexample?.[0])}`
    }
  }))
  t.equal(failure, undefined, 'every answer is the model\'s')
  t.ok(failure !== undefined || played >= STEPS, `${played} steps in ${sequences} sequences`)
  for (const [tool, { done, refused }] of outcomes) t.ok(failure !== undefined || (20 * done > refused && refused > 0), `${tool}: ${done} did what was asked for, ${refused} were refused`)
})
