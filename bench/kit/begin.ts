import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cleanup } from './cleanup.js'
import { type Load, startLoad } from './load.js'
import { type Postgres, startPostgres } from './postgres.js'
import { prepareProgram, type Program, ROOT } from './program.js'

export interface Begun {
  dir: string
  program: Program
  old: Program | undefined
  postgres: Postgres
  load: Load
}

/**
 * Prepares what every run needs, in a folder that `cleanup` removes.
 * @param old the folder of another checkout, with its node_modules
 * @param files as for `prepareProgram`
 */
export async function begin(cleanup: Cleanup, old?: string, files = false): Promise<Begun> {
  const dir = await mkdtemp(join(tmpdir(), 'scs-bench-'))
  cleanup.add(() => rm(dir, { recursive: true, force: true }))
  // If root runs this, PostgreSQL runs as another user, who must be able to enter the folder.
  await chmod(dir, 0o711)
  const program = await prepareProgram(dir, ROOT, files)
  const other = join(dir, 'old')
  if (old !== undefined) await mkdir(other)
  const postgres = await startPostgres(dir, cleanup)
  return {
    dir,
    program,
    old: old === undefined ? undefined : await prepareProgram(other, old),
    postgres,
    load: startLoad(program, cleanup)
  }
}

/**
 * Returns what ends everything that was begun, and then the process. A signal does the same: PostgreSQL would outlive
 * the process otherwise.
 */
export function endWith(cleanup: Cleanup): { ending: () => boolean; end: (code: number) => Promise<never> } {
  let ending = false
  const end = async (code: number): Promise<never> => {
    ending = true
    await cleanup.all()
    process.exit(code)
  }
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129]
  ] as const) {
    process.on(signal, () => {
      if (ending) return
      console.error('Stopping ...')
      void end(code)
    })
  }
  return { ending: () => ending, end }
}
