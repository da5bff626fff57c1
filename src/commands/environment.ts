import { lookup } from 'node:dns/promises'
import { open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { type Config, readConfig, refuse } from '../config/config.js'
import { notAnAddress } from '../config/values.js'
import { name as program } from '../version.js'

/**
 * Checks the environment variables, and what only the machine can tell of them: whether it has the address, whether the
 * ports are free, whether files can be written. It does so before anything is started or created.
 * @param listens whether the program listens on HOST and PORT
 * @throws ConfigError that lists every fault at once
 */
export async function checkEnvironment(env: NodeJS.ProcessEnv, { listens }: { listens: boolean }): Promise<void> {
  const { config, faults } = readConfig(env)
  refuse([
    ...faults,
    ...(listens ? await faultsOfListening(config, env.HOST?.trim() ?? '') : []),
    ...(await faultsOfFiles(config))
  ])
}

async function faultsOfListening({ host, port, metrics_port }: Partial<Config>, given: string): Promise<string[]> {
  if (host === undefined) return []
  // Port 0 is any that is free: does the machine have the address at all?
  if ((await listenFault(host, 0)) !== undefined) return [`HOST ${notAnAddress(given)}`]
  const faults: string[] = []
  for (const [variable, wanted] of Object.entries({ PORT: port, METRICS_PORT: metrics_port })) {
    const code = wanted === undefined || wanted === 0 ? undefined : await listenFault(host, wanted)
    if (code !== undefined) faults.push(`${variable} ${await portFault(code, host, wanted as number)}`)
  }
  return faults
}

/** @returns the error's code if nobody can listen there now */
async function listenFault(host: string, port: number): Promise<string | undefined> {
  const probe = createServer()
  try {
    // Resolved first: without a network, a name may take long, and its fault names no system call of listening.
    const { address } = await lookup(host)
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject).listen(port, address, resolve)
    })
    return undefined
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  } finally {
    await new Promise(resolve => {
      probe.close(resolve)
    })
  }
}

async function portFault(code: string, host: string, port: number): Promise<string> {
  if (code === 'EACCES') return `is ${port}, on which this user may not listen; set 1024 or above`
  if (code !== 'EADDRINUSE') return `is ${port}, on which nobody can listen at ${host} (${code}); set another one`
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return (await isOurs(url))
    ? `is ${port}, on which a ${program} runs already: ${url}. Use that one, or set a free port`
    : `is ${port}, which another program uses on ${host}; set a free port`
}

/** Whether this program answers there. */
async function isOurs(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(1000) })
    return ((await answer.json()) as { info?: { title?: unknown } }).info?.title === program
  } catch {
    return false
  }
}

async function faultsOfFiles({ audit_head_file }: Partial<Config>): Promise<string[]> {
  if (audit_head_file === undefined) return []
  try {
    await (await open(audit_head_file, 'a', 0o600)).close()
    return []
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return [`AUDIT_HEAD_FILE names the file ${audit_head_file}, which cannot be written (${code})`]
  }
}
