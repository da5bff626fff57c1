#!/usr/bin/env node
// Compiles when dist/ is missing or older than the sources, then runs the command line. A fresh clone needs no build
// step.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = join(root, 'dist', '.built')

function newest(path) {
  if (!existsSync(path)) return 0
  const stat = statSync(path)
  return stat.isDirectory()
    ? Math.max(stat.mtimeMs, ...readdirSync(path).map(name => newest(join(path, name))))
    : stat.mtimeMs
}

export function build({ force = false } = {}) {
  const folders = ['src', 'migrations', 'clients/typescript/src', 'dashboard', 'scripts']
  const sources = [...folders, 'tsconfig.json', 'package.json', 'package-lock.json'].map(name => join(root, name))
  const started = Date.now()
  if (!force && existsSync(stamp) && statSync(stamp).mtimeMs >= Math.max(...sources.map(newest))) return
  try {
    createRequire(import.meta.url).resolve('esbuild')
  } catch {
    console.error(
      'dist/ is missing or older than the sources, and the bundler is not installed. Run: npm ci --include=dev'
    )
    process.exit(1)
  }
  console.error('Compiling ...')
  // Beside the old one, then exchanged: another process may be running from dist/, and a build that fails leaves it as
  // it is.
  const fresh = join(root, `dist.new-${process.pid}`)
  const old = join(root, `dist.old-${process.pid}`)
  for (const command of [
    [join(root, 'scripts', 'bundle.mjs'), fresh],
    [join(root, 'dashboard', 'build.mjs'), join(fresh, 'page')]
  ]) {
    const { status } = spawnSync(process.execPath, command, { stdio: ['ignore', 2, 2], cwd: root })
    if (status === 0) continue
    rmSync(fresh, { recursive: true, force: true })
    process.exit(status ?? 1)
  }
  writeFileSync(join(fresh, '.built'), '')
  utimesSync(join(fresh, '.built'), new Date(started), new Date(started))
  // The package's command (`bin`) is this file. npm makes it executable when it links it; a later build replaces it.
  chmodSync(join(fresh, 'src', 'cli.js'), 0o755)
  exchange(fresh, old)
  rmSync(old, { recursive: true, force: true })
}

/** Puts the fresh folder in the place of dist/. Another build may do so at the same time: then the later one stays. */
function exchange(fresh, old) {
  for (;;) {
    try {
      renameSync(join(root, 'dist'), old)
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
    try {
      return renameSync(fresh, join(root, 'dist'))
    } catch (error) {
      // The other build was faster between the two lines above.
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code)) throw error
      rmSync(old, { recursive: true, force: true })
    }
  }
}

/** Node names this module by its real path; the path it was started by may be a link. */
function isStarted() {
  const [, path] = process.argv
  return path !== undefined && existsSync(path) && realpathSync(path) === realpathSync(fileURLToPath(import.meta.url))
}

if (isStarted()) {
  const [first = 'serve', ...rest] = process.argv.slice(2)
  if (first === 'build') {
    build({ force: true })
  } else {
    build()
    process.argv = [process.argv[0], join(root, 'dist', 'src', 'cli.js'), first, ...rest]
    await import(pathToFileURL(join(root, 'dist', 'src', 'cli.js')).href)
  }
}
