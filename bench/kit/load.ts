import { type ChildProcess, fork } from 'node:child_process'
import type { Cleanup } from './cleanup.js'
import type { Order, Plan, Result } from './plan.js'
import type { Program } from './program.js'

export type { Plan, Result, Sender } from './plan.js'

export interface Load {
  pid: number
  /** Sends a plan to the generator, which encodes its requests. */
  prepare: (name: string, plan: Plan) => Promise<void>
  /** Runs a plan. @throws Error if an answer was no success, unless `tolerant` */
  run: (name: string, seconds: number, tolerant?: boolean) => Promise<Result>
  forget: (name: string) => Promise<void>
}

export function startLoad(program: Program, cleanup: Cleanup): Load {
  const child = fork(program.file('bench/kit/generator.js'), { execArgv: [] })
  cleanup.add(async () => {
    child.kill('SIGKILL')
  })
  let last: Promise<unknown> = Promise.resolve()
  /** Gives one order at a time. */
  const order = (one: Order): Promise<Result | undefined> => {
    const answer = last.then(() => tell(child, one))
    last = answer.catch(() => {})
    return answer
  }
  return {
    pid: child.pid as number,
    async prepare(plan, is) {
      await order({ do: 'prepare', plan, is })
    },
    async forget(plan) {
      await order({ do: 'forget', plan })
    },
    async run(plan, seconds, tolerant = false) {
      const result = (await order({ do: 'run', plan, seconds })) as Result
      const { failed, refused, broken, sample } = result
      if (!tolerant && failed + refused + broken > 0)
        throw new Error(
          `${plan}: of ${result.ok + failed + refused} answers ${failed} were no success and ` +
            `${refused} refused; ${broken} connections broke.\n${sample ?? ''}`
        )
      if (result.ok === 0) throw new Error(`${plan}: nothing was answered.`)
      return result
    }
  }
}

function tell(child: ChildProcess, order: Order): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const gone = () => {
      reject(new Error('The load generator is gone.'))
    }
    child.once('exit', gone)
    child.once('message', (answer: { result?: Result; error?: string }) => {
      child.off('exit', gone)
      if (answer.error !== undefined) reject(new Error(answer.error))
      else resolve(answer.result)
    })
    child.send(order, error => {
      if (error !== null) reject(error)
    })
  })
}
