import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Programs of Debian that some tests need. `.ci/run` installs them where it may, and then sets REQUIRE_PROGRAMS=1:
 * there a test that cannot find its programs fails. Elsewhere it is skipped, and says so.
 */
const FILES = {
  chromium: 'chromium',
  faketime: 'faketime',
  nginx: 'nginx',
  openssl: 'openssl',
  pgbouncer: 'pgbouncer',
  promtool: 'promtool',
  'PostgreSQL 15': 'initdb'
}
export type NeededProgram = keyof typeof FILES

// Debian keeps servers out of a user's PATH, and PostgreSQL's programs out of everybody's.
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']
const FOLDERS: Partial<Record<NeededProgram, string[]>> = { 'PostgreSQL 15': ['/usr/lib/postgresql/15/bin'] }

/** The full path of a program; undefined if this machine lacks it. */
function pathOf(program: NeededProgram): string | undefined {
  const folders = FOLDERS[program] ?? [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS]
  return folders.map(folder => join(folder, FILES[program])).find(isExecutable)
}

/** The full path of a program. @throws Error if this machine lacks it */
export function mustFind(program: NeededProgram): string {
  const path = pathOf(program)
  if (path === undefined) throw new Error(`${program} is not on this machine`)
  return path
}

/**
 * Whether this machine has all of these programs. @throws Error if it lacks one and REQUIRE_PROGRAMS=1 says that it may
 * not
 */
export function has(...programs: NeededProgram[]): boolean {
  const missing = programs.filter(program => pathOf(program) === undefined)
  if (missing.length > 0 && process.env.REQUIRE_PROGRAMS === '1')
    throw new Error(`REQUIRE_PROGRAMS=1, and this machine lacks ${missing.join(', ')}`)
  return missing.length === 0
}

/** Options of a test that needs these programs: `t.test('…', needs('pgbouncer'), async t => …)`. */
export function needs(...programs: NeededProgram[]): { skip: false | string } {
  return { skip: !has(...programs) && `it did not run: it needs ${programs.join(' and ')}` }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
