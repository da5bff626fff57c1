import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { defaultDataDir } from './data-folder.js'
import { SECRETS_FILE } from './local-secrets.js'

/** The keys of the server that uses this machine's data folder, for commands that call it. */

interface LocalKey {
  key: string
  /** The variable or the file that it is from. */
  where: string
}

export const localAdminKey = () => localKey('ADMIN_API_KEY')

/** The shared API key of the server that uses this machine's data folder. */
export const localApiKey = () => localKey('API_KEY')

/** A key of the server that uses this machine's data folder: of the environment, or made on its first run. */
async function localKey(variable: 'API_KEY' | 'ADMIN_API_KEY'): Promise<LocalKey | undefined> {
  const set = process.env[variable]
  if (set !== undefined && set !== '') return { key: set, where: variable }
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
