import { createInterface } from 'node:readline'
import { UsageError } from './command.js'
import { CommandError } from './failure.js'

/**
 * Asks the operator before something is deleted for good.
 * @param what a sentence that says what will be deleted
 * @param yes whether the operator has confirmed it on the command line already
 * @throws UsageError if nobody can be asked, CommandError if the answer is not yes
 */
export async function confirm(what: string, yes: boolean): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(`${what} Nothing was changed: without a terminal, confirm it with --yes.`)
  const answer = await ask(`${what}\nType yes to go on: `)
  if (!['y', 'yes'].includes(answer.trim().toLowerCase())) throw new CommandError('Nothing was changed.')
}

/** @returns the answer; empty if the input ends, or on Ctrl-C */
function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  return new Promise(resolve => {
    lines.once('close', () => {
      resolve('')
    })
    lines.question(question, answer => {
      resolve(answer)
      lines.close()
    })
  })
}
