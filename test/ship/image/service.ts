import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../../src/postgres/embedded/index.js'
import { until } from '../../support/rest.js'
import { envFile } from '../files.js'
import { LIMITS, type Podman } from './podman.js'

/** As compose.yaml and k8s/ run it; on the machine's network, where PostgreSQL is. */
const RIGHTS = [
  ...['--read-only', '--read-only-tmpfs=false', '--cap-drop=all', '--security-opt=no-new-privileges'],
  ...['--memory=512m', '--network=host', '--pull=never', '--health-interval=disable', ...LIMITS]
]
type Say = (name: string, figure: string | number) => void

/** Migrates and serves by the image, calls it, and ends it. @throws Error with what does not hold */
export async function runImage(podman: Podman, image: string, url: string, say: Say): Promise<void> {
  const API_KEY = randomBytes(32).toString('hex')
  const port = await freePort()
  const env = {
    ...envFile('k8s/config.env'),
    ...{ DATABASE_URL: url, API_KEY, JWT_SECRET_KEY: randomBytes(32).toString('hex') },
    ...{ PORT: String(port), METRICS_PORT: String(await freePort()) }
  }
  const options = [...RIGHTS, ...Object.keys(env).map(name => `--env=${name}`)]

  const migrated = await podman.run(['run', '--rm', ...options, image, 'node', 'dist/src/cli.js', 'migrate', 'up'], env)
  say('migrate up', `${migrated.trim().split('\n').length} lines, code 0`)

  const [name, began] = [`scs-${process.pid}`, Date.now()]
  await podman.run(['run', '--detach', `--name=${name}`, ...options, image], env)
  const at = `http://127.0.0.1:${port}`
  const isReady = async () => (await fetch(`${at}/health/ready`).catch(() => undefined))?.status === 200
  await until('the service is ready', isReady).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await podman.logs(name)}`)
  })
  say('serve is ready after', `${Date.now() - began} ms`)
  const health = await fetch(`${at}/health`)
  must(health.status === 200, `GET /health answered ${health.status}`)
  say('GET /health', JSON.stringify(await health.json()))
  await podman.run(['healthcheck', 'run', name])
  say('the HEALTHCHECK of the image', 'code 0')

  await work(at, API_KEY)
  say('authenticate, add_message, search_context', 'found')
  await looks(podman, name, say)

  await podman.run(['kill', '--signal=TERM', name])
  const code = (await podman.run(['wait', name])).trim()
  const log = await podman.logs(name)
  must(code === '0', `SIGTERM ended it with ${code}:\n${log}`)
  must(/"msg":"stopped"/.test(log), `It does not say that it stopped:\n${log}`)
  say('SIGTERM', 'code 0')
}

/** One agent does what all do. */
async function work(at: string, key: string): Promise<void> {
  const call = async (tool: string, args: unknown, headers: Record<string, string>) => {
    const answer = await fetch(`${at}/mcp/tool/${tool}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(args)
    })
    const body = (await answer.json()) as Record<string, any>
    must(answer.status === 200, `${tool} answered ${answer.status}: ${JSON.stringify(body)}`)
    return body
  }
  const agent = { agent_id: 'ada', agent_type: 'reviewer' }
  const { token } = await call('authenticate_agent', agent, { 'x-api-key': key })
  const headers = { authorization: `Bearer ${token}` }
  const { session_id } = await call('create_session', { purpose: 'an image, tried' }, headers)
  const { message_id } = await call('add_message', { session_id, content: 'The quartz lighthouse is lit' }, headers)
  const { results } = await call('search_context', { session_id, query: 'quartz lighthouse' }, headers)
  const found = (results as Array<{ message: { id: unknown } }>).map(({ message }) => message.id)
  must(found.includes(message_id), `search_context did not find message ${message_id}: ${JSON.stringify(results)}`)
}

/** What the running process may do, where it may write, and what is in the image. */
async function looks(podman: Podman, name: string, say: Say): Promise<void> {
  const status = await podman.run(['exec', name, 'cat', '/proc/1/status'])
  const of = (field: string) => new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1]?.replace(/\s+/g, ' ') ?? ''
  for (const field of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
    must(/^0+$/.test(of(field)), `It has capabilities: ${field} ${of(field)}`)
  must(of('Uid') === '1000 1000 1000 1000', `It runs as ${of('Uid')}`)
  must(of('NoNewPrivs') === '1' && of('Seccomp') === '2', 'It may gain rights, or make any system call')
  say('user, capabilities, NoNewPrivs, Seccomp', `${of('Uid').split(' ')[0]}, none, 1, 2`)
  say('most memory so far', of('VmHWM'))

  const program = readFileSync(join(import.meta.dirname, 'within.mjs'), 'utf8')
  const said = await podman.run(['exec', '--interactive', name, 'node', '--input-type=module'], {}, program)
  const within = JSON.parse(said) as Within
  must(within.writable.length === 0, `It may write to ${within.writable.join(', ')}`)
  say('folders of the image that it may write to', 'none')
  must(String(within.installed) === String(within.named), 'sbom.cdx.json and node_modules differ')
  must(within.bundled.length > 0, 'sbom.cdx.json names no bundled package')
  must(
    String([...within.named, ...within.bundled].sort()) === String(within.noticed),
    'sbom.cdx.json and THIRD-PARTY-NOTICES.md differ'
  )
  say('packages in node_modules and in the SBOM', within.installed.length)
  say('packages bundled, and in the SBOM', within.bundled.length)
  say('licences', within.licences.join(', '))
}

/** What within.mjs prints. */
type Within = Record<'writable' | 'installed' | 'named' | 'bundled' | 'noticed' | 'licences', string[]>

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
