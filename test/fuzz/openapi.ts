/**
 * The OpenAPI page against the server: `npm run fuzz:openapi`. Schemathesis, a program of PyPI, makes calls from the
 * page, right ones and wrong ones, and compares the answers with it. It must print "0 answers that may not be": no 5xx,
 * and no status, type or body that the page does not describe; and "0 calls about which the page and the server do not
 * agree". UNSAYABLE lists what a schema cannot say. It takes python3, a package index that pip may use, and MAX_TIME
 * seconds (600); SEED=… repeats a run.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ADMIN_API_KEY, environment, type HasTeardown, runProgram } from '../helper.js'

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

/** They do not agree on which calls are right. Whatever else is found is a fault. */
const JUDGED = /Schema-(?:valid request rejected|violating request accepted)/

/** What JSON Schema cannot say, by what the report of a call holds, and why. */
const UNSAYABLE: Array<[report: RegExp, why: string]> = [
  [/is not a next_cursor of this tool/, 'a cursor is opaque: the server alone knows its own'],
  [/Line \d+ of the session to import|The session to import/, 'the lines of a transcript are one text'],
  [/characters as JSON|bytes\./, 'JSON Schema knows no size of a value as JSON'],
  [/cannot be carried exactly/, 'JSON Schema knows no bound of the digits of numbers in open values'],
  [/NUL character|half of a surrogate/, 'the keys and values of an open object are not described'],
  [
    /INVALID_DATETIME/,
    'the formats date and date-time allow the year 0, leap seconds, and a range that ends before it starts'
  ],
  [/lies beyond the end of the session/, 'how far a session goes changes'],
  [/is of another kind than \w+ changes/, 'of which kind a stored value is changes'],
  [
    /holds characters that are not seen|characters that are seen/,
    'classes of Unicode differ between the languages of patterns'
  ],
  [/holds nothing but white space/, 'white space is content if metadata comes with it'],
  [/random bytes[^]*\[200\]/, 'an empty body is an empty object'],
  [
    /(?:Incorrect type|became null\))[^]*\[200\]/,
    'null for an optional argument is absent, and a number or an array in a text is taken'
  ],
  [
    /(?:violates `?(?:format|pattern)|Invalid component: in body - \w+: .*(?:format|pattern|minLength))[^]*\[200\]/i,
    'empty ids and dates are absent, what is trimmed is right, and dates need no offset'
  ]
]

/** Calls about which they do not agree and that UNSAYABLE does not explain, from what Schemathesis printed. */
function unexplained(printed: string): string[] {
  return printed
    .split(/^(?=_+ POST \S+ _+$|\d+\. Test Case ID)/m)
    .filter(report => JUDGED.test(report) && report.includes('Test Case ID'))
    .filter(report => !UNSAYABLE.some(([pattern]) => pattern.test(report)))
}

function run(program: string, args: string[]): number | null {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' })
  if (error !== undefined) throw error
  return status
}

/** Runs a program, shows what it prints, and returns that. */
async function runAndRead(program: string, args: string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
    process.stdout.write(chunk)
  })
  await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject))
  return printed
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
  const printed = await runAndRead(join(venv, 'bin', 'st'), [
    'run',
    `${server.url}/openapi.json`,
    ...['-H', `X-API-Key: ${ADMIN_API_KEY}`, '-H', 'X-Agent-Id: schemathesis'],
    // They do not end.
    ...['--exclude-path-regex', 'events$'],
    ...['--checks', CHECKS.join(',')],
    ...['--phases', 'examples,coverage,fuzzing'],
    ...['--max-time', MAX_TIME, '--seed', SEED, '--request-timeout', '60', '--workers', '2'],
    '--continue-on-failure'
  ])
  // Of the summary: `❌ ST202 Schema-valid request rejected: 18`.
  const found = [...printed.matchAll(/❌ ST\d+ (.+): (\d+)$/gm)].map(([, what = '', count]) => ({
    what,
    count: Number(count)
  }))
  const sum = (of: typeof found) => of.reduce((all, { count }) => all + count, 0)
  const faults = sum(found.filter(({ what }) => !JUDGED.test(what)))
  const errors = server.output().match(/^.*"level":(?:50|60).*$/gm) ?? []
  for (const line of errors) console.error(line)
  const cases = /(\d+) generated/.exec(printed)?.[1]
  console.log(`${faults} answers that may not be, and ${errors.length} errors logged, in ${cases ?? 'no'} calls.`)
  const unsettled = unexplained(printed)
  for (const report of unsettled) console.error(report)
  console.log(`${unsettled.length} calls about which the page and the server do not agree.`)
  console.log(`${sum(found) - faults - unsettled.length} more are explained by what JSON Schema cannot say.`)
  process.exitCode = faults + unsettled.length > 0 || errors.length > 0 || cases === undefined ? 1 : 0
} finally {
  for (const end of teardowns.reverse()) await end()
}
