import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { type Config, loadConfig, variables } from '../../src/config/config.js'
import { ROOT } from '../helper.js'
import { bytes, envFile, heap, image, only, stopping, text, unknownNames, yaml } from './files.js'
import { all, one, parseNginx } from './nginx-file.js'

const compose = yaml('compose.yaml')
const { postgres, app, nginx } = compose.services

/** ${NAME:?words} as compose fills it in. */
function filled(value: string, env: Record<string, string>): string {
  return value.replace(/\$\{(\w+):\?[^}]*\}/g, (_whole, name: string) => env[name] ?? '')
}

function configured(): Config {
  const file = {
    ...envFile('.env.production.example'),
    POSTGRES_PASSWORD: 'abcdef0123456789',
    API_KEY: 'k'.repeat(48),
    JWT_SECRET_KEY: '0'.repeat(64)
  }
  const own = Object.fromEntries(
    Object.entries(app.environment as Record<string, string>).map(([name, value]) => [name, filled(value, file)])
  )
  return loadConfig({ ...image().environment, ...file, ...own })
}

const seconds = (duration: string) => Number(/^(\d+)s$/.exec(duration)?.[1])

test('the example, filled in, is a configuration of the service', async t => {
  t.equal(app.env_file, '.env')
  const config = configured()
  t.match(config, {
    host: '0.0.0.0',
    port: 8000,
    metrics_port: 9090,
    trust_proxy: 1,
    production: true,
    migrate_on_start: true
  })
  const url = new URL(config.database_url as string)
  t.match(url, {
    username: postgres.environment.POSTGRES_USER,
    password: 'abcdef0123456789',
    hostname: 'postgres',
    port: '5432',
    pathname: `/${postgres.environment.POSTGRES_DB}`
  })
  t.same(
    unknownNames(Object.values(compose.services).flatMap((service: any) => Object.keys(service.environment ?? {}))),
    []
  )
})

test('there is no secret in it, and no start without one', async t => {
  for (const [, name] of text('compose.yaml').matchAll(/\$\{(\w+)[^?}]*\}/g)) t.fail(`${name} has no :?`)
  t.match(postgres.environment.POSTGRES_PASSWORD, /^\$\{POSTGRES_PASSWORD:\?[^}]+\}$/)
  const secrets = variables.filter(({ secret }) => secret).map(({ name }) => name)
  for (const service of [app, nginx]) {
    for (const name of secrets)
      if (service.environment?.[name] !== undefined) t.match(service.environment[name], /\$\{\w+:\?/, name)
  }
})

test('PostgreSQL 17, with a volume and a health check; its connections are enough', async t => {
  t.equal(postgres.image, 'postgres:17')
  t.same(postgres.volumes, ['postgres-data:/var/lib/postgresql/data'])
  t.ok('postgres-data' in compose.volumes)
  t.match(
    postgres.healthcheck.test.join(' '),
    `pg_isready --host=127.0.0.1 --username=${postgres.environment.POSTGRES_USER} ` +
      `--dbname=${postgres.environment.POSTGRES_DB}`
  )
  t.equal(app.depends_on.postgres.condition, 'service_healthy')
  const most = Number(/max_connections=(\d+)/.exec(postgres.command.join(' '))?.[1])
  t.ok(app.deploy.replicas * (configured().database_pool_max + 2) < most - 3)
})

test('two replicas of the image, shut in as the cluster has them', async t => {
  t.equal(app.build, '.')
  t.ok(existsSync(join(ROOT, 'Dockerfile')))
  t.equal(app.deploy.replicas, 2)
  t.notOk('container_name' in app, 'a name can be had once')
  t.match(app, { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'], tmpfs: ['/tmp'] })
  t.notOk('user' in app, "the user is the image's")
  t.ok(heap(app.environment.NODE_OPTIONS) <= 0.82 * bytes(app.deploy.resources.limits.memory))
  t.ok(seconds(app.stop_grace_period) * 1000 > stopping(configured()))
})

test('only nginx is published, on the loopback address, and it has no way to the metrics', async t => {
  t.notOk('ports' in postgres || 'ports' in app)
  const conf = parseNginx(text('deploy/nginx.conf'))
  const server = one(one(conf, 'http').block, 'server')
  t.same(nginx.ports, [`127.0.0.1:8000:${one(server.block, 'listen').args[0]}`])
  t.same(nginx.volumes, ['./deploy/nginx.conf:/etc/nginx/nginx.conf:ro'])
  t.notMatch(text('deploy/nginx.conf'), `${configured().metrics_port}`)
  const [address, ...flags] = one(one(one(conf, 'http').block, 'upstream').block, 'server').args
  t.equal(address, `app:${only(image().runtime, 'EXPOSE').rest}`)
  t.ok(flags.includes('resolve'))
  t.ok(Number(/^nginx:1\.(\d+)-/.exec(nginx.image)?.[1]) >= 28, 'which looks names up again by itself')
  t.match(nginx, {
    read_only: true,
    user: '101:101',
    entrypoint: ['nginx', '-g', 'daemon off;'],
    environment: { TZ: 'UTC' },
    stop_signal: 'SIGQUIT'
  })
  t.ok(all(conf, 'daemon').length === 0, 'said on the command line')
  for (const { name, args } of [...conf, ...one(conf, 'http').block])
    if (name === 'pid' || name.endsWith('_temp_path')) t.match(args[0], /^\/tmp\//, name)
  t.equal(new URL(nginx.healthcheck.test.at(-1)).port, one(server.block, 'listen').args[0])
  t.ok(seconds(nginx.stop_grace_period) > seconds(one(conf, 'worker_shutdown_timeout').args[0] as string))
})

test('nginx and the service meet in one network, PostgreSQL and the service in another', async t => {
  t.same([nginx.networks, app.networks, postgres.networks], [['front'], ['front', 'database'], ['database']])
  t.equal(compose.networks.database.internal, true)
})
