import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { compiled, environment, runProgram, runToEnd } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { temporaryFolder } from '../support/own-server.js'

/** What the start says of the environment: every fault at once, in sentences, and never a secret. */

t.jobs = 4

const NOWHERE = 'postgres://nobody:secret-of-the-url@127.0.0.1:1/none'

t.test('HOST that is no address of this machine gets one sentence with the cure', async t => {
  for (const HOST of ['http://localhost', '127.0.0.1:8000', 'nowhere.invalid', '8.8.8.8', '*', 'two words']) {
    const { code, stdout, stderr } = await runToEnd(['serve'], environment(NOWHERE, { HOST, PORT: '0' }))
    t.equal(code, 1, HOST)
    t.ok(stderr.includes(`HOST is set in your environment to "${HOST}", which is not an address of this machine`))
    t.match(stderr, /Run "unset HOST", or set HOST=127\.0\.0\.1/)
    t.notMatch(stdout + stderr, /\.js:\d+|EAI_AGAIN|ENOTFOUND/, `${HOST}: no stack`)
  }
})

t.test('the same without a network', async t => {
  const inside = ['--net', '--map-root-user', 'sh', '-c']
  if (spawnSync('unshare', [...inside, 'ip link set lo up']).status !== 0)
    return t.comment('It did not run: this machine cannot take the network away (unshare, ip)')
  const run = (HOST: string) =>
    spawnSync('unshare', [...inside, `ip link set lo up; exec '${process.execPath}' '${compiled()}' serve`], {
      env: { PATH: process.env.PATH, ...environment(NOWHERE, { HOST, PORT: '0' }) },
      encoding: 'utf8'
    })
  const { status, stdout, stderr } = run('nowhere.invalid')
  t.equal(status, 1)
  t.match(stderr, /HOST is set in your environment to "nowhere\.invalid"/)
  t.notMatch(stdout + stderr, /\.js:\d+|EAI_AGAIN/)
})

t.test('HOST as conda sets it is no address: the service listens on 127.0.0.1 and says so', async t => {
  const database = await createDatabase()
  t.teardown(database.drop)
  for (const HOST of ['x86_64-conda-linux-gnu', 'arm64-apple-darwin20.0.0']) {
    const program = await runProgram(t, ['serve'], environment(database.url, { HOST, LOG_LEVEL: 'warn' }))
    t.match(program.url, /^http:\/\/127\.0\.0\.1:/)
    t.match(program.output(), /names a compiler's target, as conda sets it; the service listens on 127\.0\.0\.1/)
    t.equal(await program.stop(), 0)
  }
})

t.test('every fault is in one message, and no secret is', async t => {
  const folder = await temporaryFolder(t)
  const secrets = { API_KEY: '"kü7"', JWT_SECRET_KEY: 'too-short-to-sign', ADMIN_API_KEY: 'change-me-0123' }
  const { code, stdout, stderr } = await runToEnd(['serve'], {
    ...environment(NOWHERE, secrets),
    HOST: 'http://localhost',
    HTTP_PORT: '70000',
    PORT: '',
    METRICS_PORT: 'tcp://10.0.0.1:9090',
    BODY_LIMIT: '1 MB',
    BODY_MEMORY: '16777216',
    AUTH_ENABLED: 'false',
    NODE_ENV: 'production',
    LOG_LEVEL: 'loud',
    LOG_FORMAT: 'xml',
    TRUST_PROXY: 'nginx',
    ALLOWED_HOSTS: 'https://context.my-company.org',
    CORS_ORIGINS: 'everywhere',
    PUBLIC_URL: 'https://context.my-company.org/path',
    OIDC_ISSUER: 'login.my-company.org',
    AUDIT_HEAD_FILE: join(folder, 'no', 'such', 'folder')
  })
  t.equal(code, 1)
  t.equal(stdout, '')
  for (const line of [
    /HOST is set in your environment to "http:\/\/localhost"/,
    /HTTP_PORT must be a whole number from 0 to 65535/,
    /METRICS_PORT must be a whole number/,
    /API_KEY must have at least 8 characters \(the value is in quotation marks; remove them\)/,
    /ADMIN_API_KEY is still a placeholder/,
    /JWT_SECRET_KEY must have at least 32 characters/,
    /BODY_LIMIT must be a whole number/,
    /AUTH_ENABLED=false is refused with NODE_ENV=production/,
    /LOG_LEVEL must be one of/,
    /LOG_FORMAT must be one of auto, json, pretty/,
    /TRUST_PROXY must be true, false, a number of hops, or addresses/,
    /ALLOWED_HOSTS must hold host names/,
    /CORS_ORIGINS must hold origins/,
    /PUBLIC_URL must be an address/,
    /OIDC_ISSUER must be a URL with https/,
    /AUDIT_HEAD_FILE names the file .*, which cannot be written \(ENOENT\)/
  ])
    t.match(stderr, new RegExp(`^  - ${line.source}`, 'm'))
  t.match(stderr, /^The configuration has 16 faults:\n/)
  t.notMatch(stderr, /\.js:\d+/, 'no stack')
  t.notMatch(stderr, /kü7|too-short-to-sign|change-me-0123|secret-of-the-url/, 'no secret')
})

t.test('a port that is taken, and by whom', async t => {
  const database = await createDatabase()
  t.teardown(database.drop)
  const ours = await runProgram(t, ['serve'], environment(database.url))
  const other = createServer((_request, response) => response.end('hello'))
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const { port } = other.address() as { port: number }
  const { code, stderr } = await runToEnd(
    ['serve'],
    environment(database.url, { PORT: new URL(ours.url).port, METRICS_PORT: String(port) })
  )
  t.equal(code, 1)
  t.match(
    stderr,
    /PORT is \d+, on which a shared-context-server runs already: http:\/\/127\.0\.0\.1:\d+\. Use that one/
  )
  t.match(stderr, new RegExp(`METRICS_PORT is ${port}, which another program uses on 127\\.0\\.0\\.1`))
})

t.test('a variable of a file with Windows line endings is read without them', async t => {
  const { stderr } = await runToEnd(['serve'], environment(NOWHERE, { PORT: '0\r', LOG_LEVEL: 'warn\r', HOST: '*\r' }))
  t.match(stderr, /^The configuration has a fault:\n  - HOST is set/)
})

t.test('AUDIT_HEAD_FILE that is a folder', async t => {
  const folder = await temporaryFolder(t)
  await mkdir(join(folder, 'heads'))
  const { stderr } = await runToEnd(['serve'], environment(NOWHERE, { AUDIT_HEAD_FILE: join(folder, 'heads') }))
  t.match(stderr, /AUDIT_HEAD_FILE names the file .*heads, which cannot be written \(EISDIR\)/)
})
