/**
 * The OpenAPI page against the server: `npm run fuzz:openapi`. Schemathesis, a program of PyPI, makes calls from the
 * page, right ones and wrong ones, and compares the answers with it. No answer may be a 5xx, the server must accept what
 * the page allows and refuse what it forbids, and each answer must be one that the page describes. It takes python3, a
 * package index that pip may use, and MAX_TIME seconds (600); SEED=… repeats a run. Ends with 1 if anything was found.
 */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API_KEY, environment, type HasTeardown, runProgram } from '../helper.js'

const SCHEMATHESIS = 'schemathesis==4.32.5'
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'positive_data_acceptance',
  'unsupported_method'
]
const { MAX_TIME = '600', SEED = String(Math.floor(Math.random() * 2 ** 31)) } = process.env

const teardowns: Array<() => unknown> = []
const t: HasTeardown = {
  teardown(end: () => unknown) {
    teardowns.push(end)
  }
}

function run(program: string, args: string[]): number | null {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' })
  if (error !== undefined) throw error
  return status
}

try {
  const folder = await mkdtemp(join(tmpdir(), 'scs-openapi-'))
  // As root, PostgreSQL runs as another user, who has to get through here.
  await chmod(folder, 0o711)
  teardowns.push(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }))
  const venv = join(folder, 'venv')
  const pip = ['install', '--quiet', '--disable-pip-version-check', SCHEMATHESIS]
  if (run('python3', ['-m', 'venv', venv]) !== 0 || run(join(venv, 'bin', 'pip'), pip) !== 0)
    throw new Error(`${SCHEMATHESIS} could not be installed: it takes python3 with venv, and a package index`)
  // Without a URL the service runs a database of its own. Nobody is slowed down: that is tested elsewhere.
  const { DATABASE_URL: _none, ...env } = environment('', {
    DATA_DIR: join(folder, 'data'),
    LOG_LEVEL: 'error',
    RATE_LIMIT_FAILURES_PER_MINUTE: '0'
  })
  const server = await runProgram(t, ['serve'], env)
  console.log(`SEED=${SEED}, for ${MAX_TIME} s`)
  const found = run(join(venv, 'bin', 'st'), [
    'run',
    `${server.url}/openapi.json`,
    ...['-H', `X-API-Key: ${API_KEY}`, '-H', 'X-Agent-Id: schemathesis'],
    // They do not end.
    ...['--exclude-path-regex', 'events$'],
    ...['--checks', CHECKS.join(',')],
    ...['--phases', 'examples,coverage,fuzzing'],
    ...['--max-time', MAX_TIME, '--seed', SEED, '--request-timeout', '60', '--workers', '2'],
    '--continue-on-failure'
  ])
  const errors = server.output().match(/^.*"level":(?:50|60).*$/gm) ?? []
  for (const line of errors) console.error(line)
  const isFound = found !== 0 || errors.length > 0
  console.log(isFound ? 'The page and the server differ, as said above.' : 'The page and the server agree.')
  process.exitCode = isFound ? 1 : 0
} finally {
  for (const end of teardowns.reverse()) await end()
}
