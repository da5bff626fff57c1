import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cleanup } from './cleanup.js'
import { type Load, startLoad } from './load.js'
import { type Postgres, startPostgres } from './postgres.js'
import { prepareProgram, type Program } from './program.js'

export interface Begun {
  dir: string
  program: Program
  postgres: Postgres
  load: Load
}

/** What every run needs, in a folder of its own that is gone afterwards. */
export async function begin(cleanup: Cleanup): Promise<Begun> {
  const dir = await mkdtemp(join(tmpdir(), 'scs-bench-'))
  cleanup.add(() => rm(dir, { recursive: true, force: true }))
  // As root PostgreSQL runs as another user, who has to get through here.
  await chmod(dir, 0o711)
  const program = await prepareProgram(dir)
  const postgres = await startPostgres(dir, cleanup)
  return { dir, program, postgres, load: startLoad(program, cleanup) }
}

/** Ends all that has been begun and then the process, once. A signal does so too; PostgreSQL would outlive us. */
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
