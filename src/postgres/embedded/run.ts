import { execFile } from 'node:child_process'
import type { Account } from './account.js'

/**
 * All that PostgreSQL needs from the environment. It must not inherit ours: keys would be readable in its process
 * entry, and PG* variables would change what it does. (On Windows libuv adds what the system itself requires, PATH
 * among it.)
 */
export const environment: Record<string, string> =
  process.platform === 'win32' ? {} : { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' }

/** Our own working directory may be closed to the account that PostgreSQL runs as, and it insists on reading it. */
export const workingDirectory = process.platform === 'win32' ? undefined : '/'

export interface Outcome {
  code: number | string
  output: string
}

/** Runs a program to its end; never rejects: a program that cannot be started has its error code as `code`. */
export function run(file: string, args: string[], account?: Account): Promise<Outcome> {
  return new Promise(resolve => {
    const options = {
      cwd: workingDirectory,
      env: environment,
      windowsHide: true,
      maxBuffer: 1e7,
      ...(account && { uid: account.uid, gid: account.gid })
    }
    const failed = (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? 1, output: error.message })
    try {
      execFile(file, args, options, (error, stdout, stderr) => {
        const output = `${stdout}${stderr}`.trim()
        if (error === null) resolve({ code: 0, output })
        else resolve({ code: error.code ?? error.signal ?? 1, output: output === '' ? error.message : output })
      })
    } catch (error) {
      failed(error as NodeJS.ErrnoException)
    }
  })
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, milliseconds)
  })
}
