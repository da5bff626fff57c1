import { parentPort, workerData } from 'node:worker_threads'
import fc from 'fast-check'
import { call, startApp } from '../helper.js'
import { until } from '../support/rest.js'
import { play, type Send } from './play.js'
import { AGENTS, step } from './steps.js'

/**
 * Some of the sequences of model.test.ts, in a thread of their own, with a replica of their own: there the test runner
 * watches no promise, which costs a fifth of the time, and two threads have both processors where these are free.
 */

export interface Share {
  url: string
  seed: number
  steps: number
  name: string
}
export interface Played {
  failure?: string
  steps: number
  sequences: number
  outcomes: Record<string, { done: number; refused: number }>
}

const LANES = 3
/** Steps of one sequence at most, and sequences of one look at the clock. */
const LENGTH = 1000
const ROUNDS = 2
const SHRINKING_MS = 60_000

async function playShare({ url, seed, steps: wanted, name }: Share): Promise<Played> {
  const closing: Array<() => unknown> = []
  // All that an app asks of a test is to be closed with it.
  const app = await startApp(
    {
      teardown: (close: () => unknown) => {
        closing.push(close)
      }
    },
    { DATABASE_POOL_MAX: '8', RATE_LIMIT_FAILURES_PER_MINUTE: '0' },
    { url }
  )
  const result: Played = { steps: 0, sequences: 0, outcomes: {} }

  /** Each sequence has two workspaces of its own, so that many can be played at the same time. */
  function onNewWorkspaces(): Send {
    const n = ++result.sequences
    const tokens = [0, 1].map(workspace =>
      AGENTS.map(
        (agent, i) =>
          app.server.verifiers.tokens.sign(
            { ...agent, workspace: `model-${name}-${n}-${workspace}` },
            `jti-${name}-${n}-${workspace}-${i}`
          ).token
      )
    )
    return async (tool, args, { workspace, agent, key }) => {
      const answer = await call(
        app,
        tool,
        args,
        key === undefined
          ? { token: tokens[workspace]?.[agent] as string }
          : { anonymous: true, headers: { 'x-api-key': key.api_key, 'x-agent-id': key.agent_id } }
      )
      const of = (result.outcomes[tool] ??= { done: 0, refused: 0 })
      of[answer.status === 200 ? 'done' : 'refused']++
      return answer
    }
  }

  await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      let failing = false
      // What shrinks a failure is not cut short.
      const enough = () => !failing && result.steps >= wanted
      for (let round = 0; !enough() && result.failure === undefined; round++) {
        const found = await fc.check(
          fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: LENGTH, size: 'max' }), async steps => {
            const wrong = await play(steps, {
              send: onNewWorkspaces(),
              untilRefused: ({ key_id }) =>
                until(
                  'the key is known to be revoked',
                  () => app.server.verifiers.tokens.knownRevoked(key_id) === true
                ),
              onStep: () => {
                result.steps++
              },
              enough
            })
            if (wrong === undefined) return
            failing = true
            throw new Error(wrong)
          }),
          {
            seed: seed + lane + round * LANES,
            numRuns: ROUNDS,
            unbiased: true,
            interruptAfterTimeLimit: SHRINKING_MS,
            markInterruptAsFailure: false
          }
        )
        // One that was only cut short, on a slow machine, has no counterexample.
        if (found.failed && found.counterexample !== null)
          result.failure ??=
            `SEED=${seed}, lane ${lane}, round ${round}: ${String(found.errorInstance)}\nafter these ` +
            `steps:\n${JSON.stringify(found.counterexample?.[0])}`
      }
    })
  )
  for (const close of closing) await close()
  return result
}

if (parentPort !== null) parentPort.postMessage(await playShare(workerData as Share))
