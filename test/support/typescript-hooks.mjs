// tsx, which runs the scripts and the benchmarks, costs each test file a second of a core: it looks at every module of
// every package. These hooks look at our own alone. What they compile is kept in .tap/compiled, for the next file and
// the next run.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bundleOf, isTest } from './bundles.mjs'
import { bundled } from './packages.mjs'
import { replaceFile } from './replace-file.mjs'

const root = join(import.meta.dirname, '..', '..')
const kept = join(root, '.tap', 'compiled')
const tsconfig = readFileSync(join(root, 'tsconfig.json'), 'utf8')
let esbuild

/** `./x.js` of a TypeScript module is `./x.ts`, if there is one; some packages are one file. */
export async function resolve(specifier, context, next) {
  if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts')) {
    const url = new URL(`${specifier.slice(0, -3)}.ts`, context.parentURL)
    if (existsSync(url)) return { url: url.href, format: 'module', shortCircuit: true }
  }
  const file = bundled.get(specifier)
  if (file !== undefined) return { url: pathToFileURL(file).href, format: 'module', shortCircuit: true }
  return next(specifier, context)
}

export async function load(url, context, next) {
  if (url.startsWith('file:')) {
    if (isTest(url)) return { format: 'module', source: await bundleOf(fileURLToPath(url)), shortCircuit: true }
    if (url.endsWith('.ts')) return { format: 'module', source: await compiled(fileURLToPath(url)), shortCircuit: true }
    // Read here, modules of packages do not go through tap's own hooks as well, which look into each for nothing.
    if (context.format === 'module') return { format: 'module', source: readFileSync(new URL(url)), shortCircuit: true }
    if (context.format === 'commonjs') return { format: 'commonjs', source: null, shortCircuit: true }
  }
  return next(url, context)
}

async function compiled(path) {
  const source = readFileSync(path, 'utf8')
  const mark = `\n//${createHash('sha256').update(tsconfig).update(source).digest('base64url')}`
  const file = `${join(kept, relative(root, path))}.js`
  if (existsSync(file)) {
    const text = readFileSync(file, 'utf8')
    if (text.endsWith(mark)) return text
  }
  esbuild ??= await import('esbuild')
  const { code } = await esbuild.transform(source, {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    sourcesContent: false,
    sourcefile: path,
    tsconfigRaw: tsconfig
  })
  replaceFile(file, code + mark)
  return code
}
