import { spawn, spawnSync } from 'node:child_process'
import { compiled, ROOT } from '../helper.js'

/** util-linux has the `script` that takes a command; Debian always has it. */
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false

/** Options of a test that needs a terminal. */
export const needsTerminal = { skip: !hasScript && 'it did not run: it needs script of util-linux' }

/** What was typed once the program had printed something. */
export interface Typed {
  after: RegExp
  text: string | ((shown: string) => Promise<string>)
}

/**
 * Runs the compiled program on a terminal, to its end.
 * @returns the exit code, and all that the terminal showed
 */
export async function onTerminal(
  args: string[],
  env: Record<string, string>,
  typed: Typed[] = []
): Promise<{ code: number | null; shown: string }> {
  const quoted = [process.execPath, compiled(), ...args].map(word => `'${word}'`).join(' ')
  const child = spawn('script', ['--quiet', '--return', '--command', `exec ${quoted}`, '/dev/null'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit']
  })
  let shown = ''
  const waiting = [...typed]
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
    for (let next = waiting[0]; next?.after.test(shown); next = waiting[0]) {
      waiting.shift()
      if (typeof next.text === 'string') child.stdin.write(next.text)
      else void next.text(shown).then(text => child.stdin.write(text))
    }
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => {
      resolve({ code, shown: shown.replaceAll('\r\n', '\n') })
    })
  })
}
