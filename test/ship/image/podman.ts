import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Podman with images and containers of its own, so that what the machine has stays as it is. */
export class Podman {
  readonly #options: string[]
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    // runc, as crun refuses machines with control groups of both versions.
    this.#options = [`--root=${join(folder, 'store')}`, `--runroot=${join(folder, 'run')}`]
    this.#options.push('--cgroup-manager=cgroupfs', '--runtime=runc')
  }

  /** What it prints. @throws Error with what it says if it fails */
  async run(args: string[], env: Record<string, string> = {}, input = ''): Promise<string> {
    const { code, stdout, stderr } = await this.#spawn(args, env, input)
    if (code !== 0) throw new Error(`podman ${args.slice(0, 2).join(' ')} ended with ${code}:\n${stdout}${stderr}`)
    return stdout
  }

  async succeeds(args: string[]): Promise<boolean> {
    return (await this.#spawn(args)).code === 0
  }

  /** Both streams of a container. */
  async logs(container: string): Promise<string> {
    const { stdout, stderr } = await this.#spawn(['logs', container])
    return stdout + stderr
  }

  async #spawn(args: string[], env: Record<string, string> = {}, input = '') {
    const child = spawn('podman', [...this.#options, ...args], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe']
    })
    child.stdin.end(input)
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
    return { code, stdout, stderr }
  }

  /** Ends its containers, and removes its images too unless they are kept. */
  async close({ keep }: { keep: boolean }): Promise<void> {
    await this.run(['rm', '--all', '--force', '--time=5'])
    if (keep) return
    await this.run(['rmi', '--all', '--force'])
    // It is mounted on itself as long as the machine runs.
    await new Promise(resolve => spawn('umount', [join(this.#folder, 'store', 'overlay')]).on('close', resolve))
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/**
 * How much of what a process may have it gets, as far as this machine allows: Podman asks for more than root may give
 * on some.
 */
export const LIMITS = ['--ulimit=nofile=4096:4096', '--ulimit=nproc=4096:4096']
