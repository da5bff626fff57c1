import { spawnSync } from 'node:child_process'
import { cp, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

export const ROOT = join(import.meta.dirname, '..', '..')

/** The compiled service, and the compiled programs of bench/. */
export interface Program {
  /** A compiled file, such as `src/cli.js` or `bench/kit/generator.js`. */
  file: (path: string) => string
}

/**
 * Compiles as `npm start` does, and copies the result, so that a later build does not change what is measured. The
 * service and the programs that measure it run as plain JavaScript: a loader would be measured too.
 * @param files whether each module of the service stays a file, so that a profile names them
 */
export async function prepareProgram(dir: string, root = ROOT, files = false): Promise<Program> {
  const dist = join(dir, 'dist')
  if (files) run(root, ['scripts/bundle.mjs', dist, '--files'])
  else {
    run(root, ['--input-type=module', '-e', "(await import('./scripts/start.js')).build()"])
    await cp(join(root, 'dist'), dist, { recursive: true })
  }
  await cp(join(root, 'package.json'), join(dir, 'package.json'))
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'), 'dir')
  await build({
    entryPoints: ['kit', 'programs'].map(folder => join(ROOT, 'bench', folder, '*.ts')),
    outdir: join(dist, 'bench'),
    outbase: join(ROOT, 'bench'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning'
  })
  return { file: path => join(dist, path) }
}

function run(cwd: string, args: string[]): void {
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('The program does not compile.')
}
