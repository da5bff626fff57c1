import { execFile } from 'node:child_process'
import { ROOT } from '../helper.js'

export interface Run {
  /** null if a signal ended it, or if the program is not there. */
  code: number | null
  stdout: string
  stderr: string
}

/** Runs another program to its end, for two minutes at most, in this repository and with this environment and `env`. */
export async function run(
  program: string,
  args: string[],
  { cwd = ROOT, env = {} }: { cwd?: string; env?: Record<string, string> } = {}
): Promise<Run> {
  return new Promise(resolve => {
    // Without the key of a model's vendor the examples use their scripted answers.
    const { OPENAI_API_KEY: _key, ...inherited } = process.env
    const child = execFile(
      program,
      args,
      { cwd, timeout: 120_000, env: { ...inherited, ...env } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr })
      }
    )
    child.stdin?.end()
  })
}
