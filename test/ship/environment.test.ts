import { test } from 'tap'
import { ConfigError, loadConfig, variables } from '../../src/config/config.js'
import { envFile, envLines, unknownNames } from './files.js'

const EXAMPLE = '.env.production.example'

function refusal(env: Record<string, string>): string[] {
  try {
    loadConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').slice(1)
    throw error
  }
}

test('the example is refused as it is, and names each placeholder', async t => {
  const given = envFile(EXAMPLE)
  const placeholders = Object.entries(given)
    .filter(([, value]) => /replace-me/.test(value))
    .map(([name]) => name)
  t.same(placeholders.sort(), ['API_KEY', 'DATABASE_URL', 'JWT_SECRET_KEY'])
  const faults = refusal({ NODE_ENV: 'production', ...given })
  t.equal(faults.length, placeholders.length)
  for (const name of placeholders)
    t.ok(
      faults.some(fault => fault.includes(`${name} is still a placeholder`)),
      name
    )
})

test('with its placeholders replaced it is accepted; each of them is required', async t => {
  const filled = {
    ...envFile(EXAMPLE),
    DATABASE_URL: 'postgres://u:p@db.my-company.org:5432/shared_context',
    API_KEY: 'k'.repeat(48),
    JWT_SECRET_KEY: '0'.repeat(64)
  }
  t.same(refusal({ NODE_ENV: 'production', ...filled }), [])
  t.same(refusal({ NODE_ENV: 'production', ...filled, API_KEY: '' }).length, 1)
  t.same(
    refusal({ NODE_ENV: 'production', ...filled, API_KEY: '', SHARED_API_KEY: 'off' }),
    [],
    'unless the shared keys are off'
  )
  t.same(refusal({ NODE_ENV: 'production', ...filled, JWT_SECRET_KEY: '' }).length, 1)
  t.equal(
    envFile(EXAMPLE).POSTGRES_PASSWORD,
    '',
    'compose refuses an empty one before a volume is made with a password nobody wants'
  )
})

test('every variable is in it once, with its default where it is commented out', async t => {
  const lines = envLines(EXAMPLE)
  t.same(unknownNames(lines.map(({ name }) => name)), [])
  for (const { name, default: fallback = '' } of variables) {
    const [line, ...more] = lines.filter(line => line.name === name)
    t.ok(line !== undefined && more.length === 0, `${name} is there once`)
    if (line?.commented === true) t.equal(line.value, fallback, name)
  }
  for (const { name, value } of lines) t.notMatch(value, /["'\s#<>$]/, `${name} reads alike in every tool`)
})
