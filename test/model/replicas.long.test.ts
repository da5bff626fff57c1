import t from 'tap'
import fc from 'fast-check'
import { startApp } from '../helper.js'
import { startFleet } from '../replicas/fleet.js'
import { post, until } from '../support/rest.js'
import { play, type Send } from './play.js'
import { AGENTS, step } from './steps.js'

/**
 * The model's steps with three replicas on one database, as processes of their own: each call goes to any of them, and
 * every answer is still the model's.
 */

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
/** A tenth of those of model.test.ts: each goes over a socket to a process. */
const STEPS = Math.ceil(Number(process.env.STEPS ?? 6000) / 10)
const LENGTH = 400

// A machine may be slow.
t.setTimeout(1_800_000)
// It signs the tokens, and answers nothing.
const app = await startApp(t)
const fleet = await startFleet(t, app.url, { RATE_LIMIT_FAILURES_PER_MINUTE: '0' })
let played = 0
let sequences = 0

function onNewWorkspaces(seed: number): Send {
  const n = ++sequences
  const tokens = [0, 1].map(workspace =>
    AGENTS.map(
      (agent, i) =>
        app.server.verifiers.tokens.sign(
          { ...agent, workspace: `replicas-${n}-${workspace}` },
          `jti-${n}-${workspace}-${i}`
        ).token
    )
  )
  let turn = seed
  return async (tool, args, { workspace, agent, key }) => {
    // A small generator of its own: which replica answers is part of what a seed repeats.
    turn = (Math.imul(turn, 1103515245) + 12345) >>> 0
    const { status, ...body } = await post(
      fleet.urls[(turn >>> 16) % fleet.urls.length] as string,
      tool,
      args,
      key === undefined
        ? { headers: { authorization: `Bearer ${tokens[workspace]?.[agent]}` } }
        : { key: key.api_key, agent: key.agent_id }
    )
    return { status, body }
  }
}

t.test(`at least ${STEPS} steps on three replicas, SEED=${SEED}`, { timeout: 1_800_000 }, async t => {
  t.comment(`SEED=${SEED}`)
  let failure: string | undefined
  await Promise.all(
    [0, 1, 2, 3].map(async lane => {
      for (let round = 0; played < STEPS && failure === undefined; round++) {
        const seed = SEED + lane + round * 4
        const found = await fc.check(
          fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: LENGTH, size: 'max' }), async steps => {
            const wrong = await play(steps, {
              send: onNewWorkspaces(seed),
              untilRefused: ({ api_key, agent_id }) =>
                until('a key is refused everywhere', async () =>
                  (
                    await Promise.all(
                      fleet.urls.map(url => post(url, 'get_usage_guidance', {}, { key: api_key, agent: agent_id }))
                    )
                  ).every(({ status }) => status === 401)
                ),
              onStep: () => {
                played++
              }
            })
            if (wrong !== undefined) throw new Error(wrong)
          }),
          { seed, numRuns: 1, unbiased: true, interruptAfterTimeLimit: 40_000, markInterruptAsFailure: false }
        )
        // One that was only cut short, on a slow machine, has no counterexample.
        if (found.failed && found.counterexample !== null)
          failure ??=
            `SEED=${SEED}, lane ${lane}, round ${round}: ${String(found.errorInstance)}\nafter these ` +
            `steps:\n${JSON.stringify(found.counterexample?.[0])}`
      }
    })
  )
  t.equal(failure, undefined, "every answer is the model's")
  t.ok(failure !== undefined || played >= STEPS, `${played} steps in ${sequences} sequences`)
})
