import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { API_KEY, ROOT } from '../../helper.js'
import { startFleet } from '../../replicas/fleet.js'
import { createDatabase } from '../../support/cluster.js'
import { temporaryFolder } from '../../support/own-server.js'
import { html } from './connected.js'
import { type Fault, type Relay, startRelay } from './relay.js'

/**
 * The packed TypeScript client in Node, Deno and Bun, against a service that is killed and started meanwhile. Deno and
 * Bun are those of the PATH, or the programs that DENO and BUN name.
 */

t.jobs = 1

const SOURCE = join(ROOT, 'clients', 'typescript')
const HERE = join(ROOT, 'test', 'clients', 'typescript', 'runtimes')
/** Milliseconds that a program may take: it waits for leases, and for a service that starts five times. */
const LIMIT_MS = 240_000

const RUNTIMES: Array<{ name: string; command: string; args: string[] }> = [
  { name: 'Node', command: process.execPath, args: [] },
  // It takes the packages as npm installed them, asks no registry, and may do only this.
  {
    name: 'Deno',
    command: process.env.DENO ?? 'deno',
    args: ['run', '--cached-only', '--no-prompt', '--allow-env', '--allow-net=127.0.0.1', '--allow-read']
  },
  { name: 'Bun', command: process.env.BUN ?? 'bun', args: ['run'] }
]

const FAULTS: Record<string, Fault> = {
  reset: { kind: 'reset' },
  lost: { kind: 'lost' },
  silent: { kind: 'silent' },
  html,
  busy: { kind: 'answer', status: 503, body: '', headers: { 'retry-after': '1' } },
  redirect: { kind: 'answer', status: 307, body: '', headers: { location: 'http://127.0.0.1:1/' } }
}

const folder = await temporaryFolder(t)
await install(folder)

for (const { name, command, args } of RUNTIMES) {
  const version = versionOf(command)
  const skip = version === undefined && `it did not run: ${command} is not here`
  t.test(`${name} ${version ?? ''} runs the quick start and all that the client can do`, { skip }, async t => {
    const { urls, stop, start } = await startFleet(t, (await createDatabase()).url, {}, 1)
    const relay = await startRelay(t, urls[0] as string)
    const restart = async () => {
      await stop(0, 'SIGKILL')
      await start(0)
    }
    const env = {
      SHARED_CONTEXT_URL: relay.url,
      SHARED_CONTEXT_API_KEY: API_KEY,
      CONTROL: await startControl(t, relay, restart)
    }
    const run = (file: string) => runIn(folder, command, [...args, file], env)
    t.match(await run('quick-start.mjs'), {
      code: 0,
      output: /^\d+(\.\d+)? ada The price is rounded before tax\n1 The price is rounded before tax\n$/
    })
    t.same(await run('abilities.mjs'), {
      code: 0,
      output: 'calls\nerrors\nretries\nfollow\nevents\nleases\ntasks\nlanggraph\n'
    })
  })
}

/** Packs the client and installs it, with the packages of LangGraph that the repository has. */
async function install(folder: string): Promise<void> {
  const npm = (args: string[], cwd: string) =>
    execFileSync('npm', args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' })
  const said = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], SOURCE)) as object
  const [{ filename }] = Object.values(said) as [{ filename: string }]
  await writeFile(join(folder, 'package.json'), '{"private": true, "type": "module"}')
  npm(['install', '--offline', '--no-audit', '--no-fund', '--legacy-peer-deps', join(folder, filename)], folder)
  await mkdir(join(folder, 'node_modules', '@langchain'))
  for (const name of ['core', 'langgraph-checkpoint'])
    await symlink(join(ROOT, 'node_modules', '@langchain', name), join(folder, 'node_modules', '@langchain', name))
  const readme = await readFile(join(SOURCE, 'README.md'), 'utf8')
  const [, quickStart = ''] = /```js\n(\/\/ quick-start\.mjs\n[^]*?)```/.exec(readme) ?? []
  await writeFile(join(folder, 'quick-start.mjs'), quickStart)
  await cp(join(HERE, 'abilities.mjs'), join(folder, 'abilities.mjs'))
}

/** Does what a program asks for: `POST /fault/<name>` for its next request, `POST /restart`. @returns the address */
async function startControl(t: Test, relay: Relay, restart: () => Promise<void>): Promise<string> {
  const server = createServer(({ url = '' }, answer) => {
    const fault = FAULTS[url.replace('/fault/', '')]
    if (fault !== undefined) relay.faults.push(fault)
    const done = fault === undefined && url === '/restart' ? restart() : Promise.resolve()
    done.then(
      () => answer.end(),
      (error: unknown) => answer.writeHead(500).end(String(error))
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** @returns the code with which it ended by itself, and all that it wrote */
async function runIn(cwd: string, command: string, args: string[], env: Record<string, string>) {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(command, args, {
    cwd,
    env: { PATH, HOME, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL'
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

function versionOf(command: string): string | undefined {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' })
  return status === 0 ? /\d+\.\d+\.\d+/.exec(stdout)?.[0] : undefined
}
