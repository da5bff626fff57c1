import { execFileSync, spawn } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { serverAccount } from '../../src/postgres/embedded/index.js'
import { temporaryFolder } from './own-server.js'
import { quietPort } from './ports.js'
import { until } from './until.js'

/** PGBOUNCER names another one than that of the system. */
const program = process.env.PGBOUNCER ?? '/usr/sbin/pgbouncer'

/** @returns its version; undefined if there is none on this machine */
export function pgbouncerVersion(): string | undefined {
  try {
    return /PgBouncer (\d+\.\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1]
  } catch {
    return undefined
  }
}

/**
 * A PgBouncer that pools by transactions and is otherwise as it comes, in front of a server.
 * @returns the address of the same database through it
 */
export async function openPgbouncer(t: Test, url: string, settings: Record<string, string> = {}): Promise<string> {
  const { hostname, port, username, password, pathname } = new URL(url)
  const own = await quietPort()
  const folder = await temporaryFolder(t)
  const file = join(folder, 'pgbouncer.ini')
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: own,
    auth_type: 'any',
    pool_mode: 'transaction',
    unix_socket_dir: ''
  }
  await writeFile(
    file,
    [
      '[databases]',
      `* = host=${hostname} port=${port} user=${username} password=${decodeURIComponent(password)}`,
      '[pgbouncer]',
      ...Object.entries({ ...all, ...settings }).map(([name, value]) => `${name} = ${value}`)
    ].join('\n')
  )
  await chmod(file, 0o644)
  const account = await serverAccount()
  const child = spawn(program, [file], {
    stdio: 'ignore',
    ...(account && { uid: account.uid, gid: account.gid })
  })
  const ended = new Promise(resolve => {
    child.once('exit', resolve)
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  await until(
    () =>
      new Promise<boolean>(resolve => {
        const socket = connect(own, '127.0.0.1', () => {
          resolve(true)
          socket.destroy()
        }).once('error', () => {
          resolve(false)
        })
      }),
    'PgBouncer listens'
  )
  return `postgres://anybody@127.0.0.1:${own}${pathname}`
}
