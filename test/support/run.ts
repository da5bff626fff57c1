import { execFile } from 'node:child_process'
import { ROOT } from '../helper.js'

export interface Run {
  /** null: a signal ended it. */
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a program without input until it ends, for at most two minutes. */
export async function run(
  program: string,
  args: string[],
  { cwd = ROOT, env = {} }: { cwd?: string; env?: Record<string, string> } = {}
): Promise<Run> {
  return new Promise(resolve => {
    // Without a key of a model, the examples use their scripted answers.
    const { OPENAI_API_KEY: _key, ...inherited } = process.env
    const options = { cwd, timeout: 120_000, env: { ...inherited, ...env } }
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr })
    })
    child.stdin?.end()
  })
}
