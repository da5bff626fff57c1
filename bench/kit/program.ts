import { spawnSync } from 'node:child_process'
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import ts from 'typescript'

export const ROOT = join(import.meta.dirname, '..', '..')

/** The compiled service, and the compiled programs of bench/. */
export interface Program {
  /** A compiled file, such as `src/cli.js` or `bench/kit/generator.js`. */
  file: (path: string) => string
}

/**
 * Compiles as `npm start` does, and copies the result, so that a later build does not change what is measured. The
 * service and the programs that measure it run as plain JavaScript: a loader would be measured too.
 */
export async function prepareProgram(dir: string, root = ROOT): Promise<Program> {
  const built = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', "(await import('./scripts/start.js')).build()"],
    { cwd: root, stdio: ['ignore', 2, 2] }
  )
  if (built.status !== 0) throw new Error('The program does not compile.')
  const dist = join(dir, 'dist')
  await cp(join(root, 'dist'), dist, { recursive: true })
  await cp(join(root, 'package.json'), join(dir, 'package.json'))
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'), 'dir')
  for (const folder of ['kit', 'programs']) {
    await mkdir(join(dist, 'bench', folder), { recursive: true })
    for (const name of await readdir(join(ROOT, 'bench', folder))) {
      const source = await readFile(join(ROOT, 'bench', folder, name), 'utf8')
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
      })
      await writeFile(join(dist, 'bench', folder, name.replace(/\.ts$/, '.js')), outputText)
    }
  }
  return { file: path => join(dist, path) }
}
