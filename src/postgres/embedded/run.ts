import { execFile } from 'node:child_process'

/** The unprivileged user that runs PostgreSQL if this process is root: PostgreSQL refuses to run as root. */
export interface Account {
  name: string
  uid: number
  gid: number
}

/**
 * The environment of PostgreSQL. It must not inherit this process's: others could read the keys in its process entry,
 * and PG* variables would change its behaviour. (On Windows, libuv adds what the system requires, such as PATH.)
 */
export const environment: Record<string, string> =
  process.platform === 'win32' ? {} : { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' }

/** PostgreSQL must be able to read its working directory, and its account may not be able to read this process's. */
export const workingDirectory = process.platform === 'win32' ? undefined : '/'

export interface Outcome {
  code: number | string
  output: string
}

/** Runs a program to its end. Never rejects: if the program cannot start, `code` is the error code. */
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
