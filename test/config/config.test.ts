import t from 'tap'
import { ConfigError, loadConfig, variables } from '../../src/config/config.js'

const DATABASE = {
  DATABASE_URL: 'postgres://scs:hunter2-secret@db:5432/scs',
  API_KEY: 'k3y-of-the-agents-01',
  JWT_SECRET_KEY: 's3cr3t-of-thirty-two-characters!'
}

/** The faults that an environment is told of, a line each. */
function faults(env: Record<string, string>): string[] {
  try {
    loadConfig(env)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message
      .split('\n')
      .slice(1)
      .map(line => line.replace(/^ {2}- /, ''))
  }
}

t.test('nothing has to be set', async t => {
  const config = loadConfig({})
  t.match(config, {
    host: '127.0.0.1',
    port: 23456,
    database_url: undefined,
    data_dir: undefined,
    api_key: undefined,
    admin_api_key: undefined,
    jwt_secret_key: undefined,
    audit_hmac_keys: undefined,
    audit_head_file: undefined,
    jwt_expires_in: 86400,
    auth_enabled: true,
    cors_origins: [],
    allowed_hosts: ['localhost', '127.0.0.1', '[::1]'],
    trust_proxy: false,
    metrics_port: undefined,
    database_pool_max: 8,
    body_limit: 8_388_608,
    log_level: 'info',
    production: false
  })
  t.ok(Object.isFrozen(config))
  t.same(loadConfig(Object.fromEntries(variables.map(({ name }) => [name, ' ']))), config, 'empty is unset')
})

t.test('all faults come in one message', async t => {
  const found = faults({
    DATABASE_URL: 'mysql://x',
    PORT: 'abc',
    LOG_LEVEL: 'loud',
    AUTH_ENABLED: 'maybe',
    DATABASE_POOL_MAX: '1',
    CORS_ORIGINS: 'app.example.com/path',
    API_KEY: 'short',
    JWT_SECRET_KEY: 'too short',
    BODY_LIMIT: '1e6',
    METRICS_PORT: '70000'
  })
  t.same(
    found.map(line => line.split(' ')[0]),
    [
      'PORT',
      'DATABASE_URL',
      'API_KEY',
      'JWT_SECRET_KEY',
      'AUTH_ENABLED',
      'CORS_ORIGINS',
      'METRICS_PORT',
      'DATABASE_POOL_MAX',
      'BODY_LIMIT',
      'LOG_LEVEL'
    ]
  )
  t.ok(
    found.every(line => line.length > 20),
    'each says what is wanted'
  )
})

t.test('what DATABASE_URL demands is told along with other faults', async t => {
  t.same(
    faults({ DATABASE_URL: DATABASE.DATABASE_URL }).map(line => line.split(' ')[0]),
    ['API_KEY', 'JWT_SECRET_KEY']
  )
  t.same(
    faults({ DATABASE_URL: DATABASE.DATABASE_URL, PORT: 'abc' })
      .map(line => line.split(' ')[0])
      .sort(),
    ['API_KEY', 'JWT_SECRET_KEY', 'PORT']
  )
  t.same(
    faults({ ...DATABASE, API_KEY: 'changeme', PORT: 'abc', JWT_SECRET_KEY: '' })
      .map(line => line.split(' ')[0])
      .sort(),
    ['API_KEY', 'JWT_SECRET_KEY', 'PORT'],
    'a faulty key is told once'
  )
  t.same(faults(DATABASE), [])
  t.same(faults({ ...DATABASE, API_KEY: '', AUTH_ENABLED: 'false' }), [], 'without authentication no key is needed')
})

t.test('placeholders are refused as secrets', async t => {
  for (const text of [
    'changeme',
    'change-me-please',
    'CHANGE_ME',
    'your-secret-key-here',
    'your_api_key',
    '<generate one>',
    'replace-me-with-a-real-key',
    'example-key-12345',
    'placeholder',
    'secret',
    'password',
    'xxxxxxxx',
    '...',
    'api-key',
    'please-change-me-to-32-characters-or-more'
  ]) {
    for (const name of ['API_KEY', 'ADMIN_API_KEY', 'JWT_SECRET_KEY']) {
      const found = faults({ ...DATABASE, [name]: text })
      t.equal(found.length, 1, `${name} ${text}`)
      t.match(found[0], new RegExp(`^${name} is still a placeholder`))
    }
  }
  t.match(faults({ ...DATABASE, JWT_SECRET_KEY: 'ab'.repeat(15) }), [
    /^JWT_SECRET_KEY must have at least 32 characters/
  ])
  t.match(faults({ ...DATABASE, API_KEY: 'ababab' }), [/^API_KEY must have at least 8 characters/])
})

t.test('several signing secrets', async t => {
  const [one, two] = ['first-secret-of-thirty-two-letters', 'other-secret-of-thirty-two-letters']
  t.same(loadConfig({ ...DATABASE, JWT_SECRET_KEY: one }).jwt_secret_key, [one])
  for (const text of [
    `${one},${two}`,
    ` ${one}, ${two} `,
    `${one} ${two}`,
    `${one}\n${two}\n`,
    `${one},,${two},`,
    `${one},${two},${one}`
  ]) {
    t.same(loadConfig({ ...DATABASE, JWT_SECRET_KEY: text }).jwt_secret_key, [one, two], JSON.stringify(text))
  }
  t.same(faults({ ...DATABASE, JWT_SECRET_KEY: `${one},short` }), [
    'JWT_SECRET_KEY holds 2 secrets, as commas and spaces separate them, and number 2 has fewer than 32 characters'
  ])
  t.match(faults({ ...DATABASE, JWT_SECRET_KEY: 'a pass phrase of many words that is long' }), [
    /holds 9 secrets, as commas and spaces separate them, and number 1 has/
  ])
  t.match(faults({ ...DATABASE, JWT_SECRET_KEY: `${one},change-me-please-at-least-32-characters` }), [
    /^JWT_SECRET_KEY is still a placeholder/
  ])
  t.match(faults({ ...DATABASE, JWT_SECRET_KEY: ',' }), [/^JWT_SECRET_KEY must have at least 32 characters/])
})

t.test('an outside issuer', async t => {
  const OIDC_ISSUER = 'https://login.my-company.org/realms/one/'
  t.match(loadConfig({ OIDC_ISSUER, OIDC_AUDIENCE: 'a, b' }), {
    oidc_issuer: OIDC_ISSUER,
    oidc_audience: ['a', 'b'],
    oidc_agent_id_claim: 'sub',
    oidc_agent_type_claim: 'agent_type',
    oidc_permissions_claim: 'scope',
    oidc_workspace_claim: 'workspace'
  })
  t.same(
    loadConfig({}).oidc_permissions_map,
    new Map([
      ['read', 'read'],
      ['write', 'write']
    ]),
    'nothing means admin unless it is said'
  )
  t.match(loadConfig({}), { oidc_issuer: undefined, oidc_audience: [], public_url: undefined })
  t.same(loadConfig({ OIDC_ISSUER, PUBLIC_URL: 'https://Context.my-company.org/' }).oidc_audience, [
    'https://context.my-company.org/mcp'
  ])
  t.same(
    loadConfig({ OIDC_ISSUER, OIDC_AUDIENCE: 'x', OIDC_PERMISSIONS_MAP: 'api://a/b=c=write, Ops Team=admin' })
      .oidc_permissions_map,
    new Map([
      ['api://a/b=c', 'write'],
      ['Ops Team', 'admin']
    ])
  )
  for (const text of ['http://localhost:8080', 'http://127.0.0.1:8080/realms/x', 'http://[::1]:1'])
    t.equal(loadConfig({ OIDC_ISSUER: text, OIDC_AUDIENCE: 'x' }).oidc_issuer, text)
  for (const text of [
    'login.my-company.org',
    'http://login.my-company.org',
    'http://127.0.0.1.evil.org',
    'http://localhost.evil.org',
    'ftp://x',
    'https://'
  ])
    t.match(faults({ OIDC_ISSUER: text, OIDC_AUDIENCE: 'x' }), [/^OIDC_ISSUER must be a URL with https/], text)
  for (const text of ['https://user:hunter2@x.org', 'https://x.org?a=b', 'https://x.org/#a'])
    t.match(faults({ OIDC_ISSUER: text, OIDC_AUDIENCE: 'x' }), [/^OIDC_ISSUER must be a URL without user/], text)
  t.match(faults({ OIDC_ISSUER }), [/^OIDC_AUDIENCE is required with OIDC_ISSUER, unless PUBLIC_URL is set/])
  t.match(faults({ OIDC_ISSUER, OIDC_AUDIENCE: ',' }), [/^OIDC_AUDIENCE is required/])
  for (const text of [
    'context.my-company.org',
    'https://x.org/path',
    'https://u@x.org',
    'https://x.org?q',
    'ws://x.org'
  ])
    t.match(faults({ OIDC_ISSUER, PUBLIC_URL: text }), [/^PUBLIC_URL must be an address such as/], text)
  for (const text of ['read', 'a=fly', '=read', 'a=', 'a=Admin'])
    t.match(faults({ OIDC_PERMISSIONS_MAP: text }), [/^OIDC_PERMISSIONS_MAP must hold pairs/], text)
})

t.test('ports', async t => {
  t.equal(loadConfig({ PORT: '8000' }).port, 8000)
  t.equal(loadConfig({ HTTP_PORT: '8001' }).port, 8001, 'HTTP_PORT is accepted too')
  t.equal(loadConfig({ PORT: '8000', HTTP_PORT: '8001' }).port, 8000, 'PORT comes first')
  t.equal(loadConfig({ PORT: '', HTTP_PORT: '8001' }).port, 8001)
  t.match(faults({ HTTP_PORT: 'x' }), [/PORT must be a whole number from 0 to 65535/])
  for (const port of ['-1', '65536', '80.5', '0x50', '8e3', '+80']) t.match(faults({ PORT: port }), [/^PORT /], port)
  t.match(faults({ PORT: '9090', METRICS_PORT: '9090' }), [/METRICS_PORT must differ/])
  t.equal(loadConfig({ METRICS_PORT: '9090' }).metrics_port, 9090)
})

t.test('databases', async t => {
  for (const url of [
    'postgres://u:p@h/d',
    'postgresql://u:p@h:5432/d?sslmode=require',
    'POSTGRES://u@h/d',
    'postgresql:///d?host=/run/postgresql'
  ]) {
    t.equal(loadConfig({ ...DATABASE, DATABASE_URL: url }).database_url, url)
  }
  for (const [url, named] of [
    ['sqlite:./chat.db', 'sqlite:'],
    ['sqlite+aiosqlite:///./chat.db', 'sqlite+aiosqlite:'],
    ['mysql://u:hunter2@h/d', 'mysql:'],
    ['file:///tmp/x', 'file:'],
    ['./chat.db', ''],
    ['localhost/d', '']
  ] as const) {
    const [fault, ...others] = faults({ ...DATABASE, DATABASE_URL: url })
    t.same(others, [])
    t.match(
      fault,
      /^DATABASE_URL must be a PostgreSQL URL, postgres:\/\/.*leave it unset for the embedded PostgreSQL$/,
      url
    )
    if (named !== '') t.ok(fault?.includes(`not ${named}`), 'what it is instead')
    t.notOk(fault?.includes('hunter2'))
  }
  t.match(faults({ ...DATABASE, DATABASE_URL: 'postgres://u:pass/word@h:5432/d' }), [
    /^DATABASE_URL is not a valid URL/
  ])
})

t.test('secrets never stand in a message', async t => {
  const secrets = {
    DATABASE_URL: 'postgres://scs:hunter2-secret@host:notaport/scs',
    API_KEY: 'k3y',
    ADMIN_API_KEY: 'adm1n',
    JWT_SECRET_KEY: 'jw7-too-short',
    PORT: 'abc'
  }
  const told = faults(secrets).join('\n')
  for (const secret of ['hunter2', 'k3y', 'adm1n', 'jw7']) t.notOk(told.includes(secret))
  t.same(
    variables
      .filter(({ secret }) => secret)
      .map(({ name }) => name)
      .sort(),
    [
      'ADMIN_API_KEY',
      'API_KEY',
      'AUDIT_HMAC_KEY',
      'DATABASE_LISTEN_URL',
      'DATABASE_URL',
      'JWT_SECRET_KEY',
      'MIGRATION_DATABASE_URL'
    ]
  )
})

t.test('keys must differ, and a laptop is no production', async t => {
  t.match(faults({ ...DATABASE, ADMIN_API_KEY: DATABASE.API_KEY }), [/ADMIN_API_KEY must differ from API_KEY/])
  t.match(faults({ ...DATABASE, AUDIT_HMAC_KEY: DATABASE.JWT_SECRET_KEY }), [
    /AUDIT_HMAC_KEY must differ from every other key/
  ])
  t.match(faults({ AUTH_ENABLED: 'false', NODE_ENV: 'production' }), [/AUTH_ENABLED=false is refused/])
  t.match(faults({ AUTH_ENABLED: 'false', CORS_ORIGINS: 'https://app.test,*' }), [
    /CORS_ORIGINS=\* is refused with AUTH_ENABLED=false/
  ])
  t.equal(loadConfig({ AUTH_ENABLED: 'false', CORS_ORIGINS: 'https://app.test' }).auth_enabled, false)
  t.equal(loadConfig({ AUTH_ENABLED: '0' }).auth_enabled, false)
})

t.test('hosts', async t => {
  t.same(loadConfig({ HOST: '127.1.2.3' }).allowed_hosts, ['localhost', '127.0.0.1', '[::1]', '127.1.2.3'])
  for (const HOST of ['127.0.0.1', 'localhost', '::1'])
    t.same(loadConfig({ HOST }).allowed_hosts, ['localhost', '127.0.0.1', '[::1]'], HOST)
  for (const HOST of ['0.0.0.0', '::', '10.0.0.5', 'agents.internal'])
    t.equal(loadConfig({ HOST }).allowed_hosts, undefined, `${HOST} is not checked`)
  t.same(loadConfig({ ALLOWED_HOSTS: ' a.test , b.test:8443,' }).allowed_hosts, ['a.test', 'b.test:8443'])
  t.equal(loadConfig({ ALLOWED_HOSTS: '*' }).allowed_hosts, undefined)
  t.same(loadConfig({ HOST: '0.0.0.0', ALLOWED_HOSTS: 'a.test' }).allowed_hosts, ['a.test'])
})

t.test('origins and proxies', async t => {
  t.same(loadConfig({ CORS_ORIGINS: 'https://App.example.com/, http://localhost:5173' }).cors_origins, [
    'https://app.example.com',
    'http://localhost:5173'
  ])
  t.same(loadConfig({ CORS_ORIGINS: '*' }).cors_origins, ['*'])
  for (const text of ['app.example.com', 'https://app.example.com/path', 'https://*.example.com', 'null'])
    t.match(faults({ CORS_ORIGINS: text }), [/^CORS_ORIGINS must hold origins/], text)
  for (const [text, value] of [
    ['true', true],
    ['false', false],
    ['2', 2],
    ['10.0.0.0/8, 127.0.0.1', ['10.0.0.0/8', '127.0.0.1']]
  ] as const)
    t.same(loadConfig({ TRUST_PROXY: text }).trust_proxy, value, text)
})

t.test('every variable is described', async t => {
  t.equal(new Set(variables.map(({ name }) => name)).size, variables.length)
  for (const { name, description } of variables) t.ok(/^[A-Z_]+$/.test(name) && description.length > 5, name)
})
