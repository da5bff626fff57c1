import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { defaultDataDir } from './data-folder.js'
import { SECRETS_FILE } from './local-secrets.js'
import { isSamePort, runningServer } from './running-server.js'

/** The keys of the server that uses this machine's data folder, for commands that call it. */

interface LocalKey {
  key: string
  /** The variable or the file that it is from. */
  where: string
}

export const localAdminKey = (url: string) => localKey('ADMIN_API_KEY', url)

/** The shared API key of the server that uses this machine's data folder. */
export const localApiKey = (url: string) => localKey('API_KEY', url)

/**
 * A key of the server that uses this machine's data folder: of the environment, or made on its first run.
 * @param url whom it is for. The keys of the folder are only for the server of the folder: something else may listen
 * there, or lead to another machine.
 */
async function localKey(variable: 'API_KEY' | 'ADMIN_API_KEY', url: string): Promise<LocalKey | undefined> {
  const set = process.env[variable]
  if (set !== undefined && set !== '') return { key: set, where: variable }
  const running = await runningServer(dataDir())
  if (running === undefined || !isSamePort(running, url)) return undefined
  const file = join(dataDir(), SECRETS_FILE)
  try {
    const key = (JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>)[variable.toLowerCase()]
    return typeof key === 'string' ? { key, where: file } : undefined
  } catch {
    return undefined
  }
}

export function dataDir(): string {
  return resolve(process.env.DATA_DIR ?? defaultDataDir())
}
