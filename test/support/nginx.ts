import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { quietPort } from './ports.js'
import { text } from '../ship/files.js'
import { mustFind } from './programs.js'

/** The proxy as compose.yaml ships it, in front of replicas of a test. */

export const NGINX_FILE = 'deploy/nginx.conf'

export interface Nginx {
  url: string
  port: number
}

/** nginx with the file as it is but for addresses, waiting times and places. */
export async function startNginx(
  t: Test,
  upstreams: number[],
  replace: (conf: string) => string = conf => conf
): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'scs-nginx-'))
  // Started by root, its workers are another user.
  chmodSync(folder, 0o711)
  const port = await quietPort()
  const conf = replace(text(NGINX_FILE))
    .replace(/server app:8000 resolve (.*);/, (_whole, rest: string) =>
      upstreams.map(each => `server 127.0.0.1:${each} ${rest};`).join('\n')
    )
    .replace('listen 8080', `listen 127.0.0.1:${port}`)
    .replaceAll('/tmp/', `${folder}/`)
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, conf)
  const env = { PATH: process.env.PATH ?? '', TZ: 'UTC' }
  const nginx = mustFind('nginx')
  execFileSync(nginx, ['-t', '-q', '-p', folder, '-c', file], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const child: ChildProcess = spawn(nginx, ['-p', folder, '-c', file, '-g', 'daemon off;'], { env, stdio: 'ignore' })
  const ended = new Promise(resolve => child.once('exit', resolve))
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  for (let tries = 0; tries < 100 && !(await reachable(port)); tries++)
    await new Promise(resolve => setTimeout(resolve, 50))
  return { url: `http://127.0.0.1:${port}`, port }
}

function reachable(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket
      .on('connect', () => {
        socket.destroy()
        resolve(true)
      })
      .on('error', () => {
        resolve(false)
      })
  })
}
