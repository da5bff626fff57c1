#!/usr/bin/env node
// Compiles when dist/ is missing or older than the sources, then runs the command line. A fresh clone needs no build step.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = join(root, 'dist', '.built')

function newest (path) {
  if (!existsSync(path)) return 0
  const stat = statSync(path)
  return stat.isDirectory() ? Math.max(stat.mtimeMs, ...readdirSync(path).map(name => newest(join(path, name)))) : stat.mtimeMs
}

export function build ({ force = false } = {}) {
  const sources = ['src', 'migrations', 'tsconfig.json', 'package.json'].map(name => join(root, name))
  // An installed package has no sources beside dist/, only what was compiled from them.
  if (!existsSync(sources[0])) return
  const started = Date.now()
  if (!force && existsSync(stamp) && statSync(stamp).mtimeMs >= Math.max(...sources.map(newest))) return
  let compiler
  try {
    compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  } catch {
    console.error('dist/ is missing or older than the sources, and the compiler is not installed. Run: npm ci --include=dev')
    process.exit(1)
  }
  console.error('Compiling ...')
  // Beside the old one, then exchanged: another process may be running from dist/, and a build that fails leaves it as it is.
  const fresh = join(root, `dist.new-${process.pid}`)
  const old = join(root, `dist.old-${process.pid}`)
  // Whether the types are right is asked by `npm run check`; here it would take most of the time, and somebody waits for the start.
  const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.json'), '--noCheck', '--outDir', fresh], { stdio: ['ignore', 2, 2], cwd: root })
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    process.exit(status ?? 1)
  }
  writeFileSync(join(fresh, '.built'), '')
  utimesSync(join(fresh, '.built'), new Date(started), new Date(started))
  if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old)
  renameSync(fresh, join(root, 'dist'))
  rmSync(old, { recursive: true, force: true })
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [first = 'serve', ...rest] = process.argv.slice(2)
  if (first === 'build') {
    build({ force: true })
  } else {
    build()
    process.argv = [process.argv[0], join(root, 'dist', 'src', 'cli.js'), first, ...rest]
    await import(pathToFileURL(join(root, 'dist', 'src', 'cli.js')).href)
  }
}
