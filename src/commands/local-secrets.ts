import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../config.js'

/** The keys of an installation that has only its data folder: made on the first run, kept there, for the owner's eyes. */
export interface LocalSecrets {
  api_key: string
  admin_api_key: string
  jwt_secret_key: string
}

export const SECRETS_FILE = 'secrets.json'

/** @throws ConfigError where the file is there and cannot be used */
export async function localSecrets (dataDir: string): Promise<LocalSecrets> {
  const file = join(dataDir, SECRETS_FILE)
  const existing = await read(file)
  if (existing !== undefined) return existing
  const secrets: LocalSecrets = { api_key: key(), admin_api_key: key(), jwt_secret_key: randomBytes(32).toString('hex') }
  await mkdir(dataDir, { recursive: true })
  // Written whole under another name, then linked: of two first runs at once, one wins and the other reads the winner's.
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  await writeFile(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  try {
    await link(draft, file)
    return secrets
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return await read(file) as LocalSecrets
  } finally {
    await rm(draft, { force: true })
  }
}

async function read (file: string): Promise<LocalSecrets | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ConfigError(`The generated keys in ${file} cannot be read; run as the user who made them, or pass API_KEY, ADMIN_API_KEY and JWT_SECRET_KEY.`)
  }
  try {
    const { api_key, admin_api_key, jwt_secret_key } = JSON.parse(text) as Partial<LocalSecrets>
    if (typeof api_key === 'string' && typeof admin_api_key === 'string' && typeof jwt_secret_key === 'string' && jwt_secret_key.length >= 32) {
      return { api_key, admin_api_key, jwt_secret_key }
    }
  } catch {
    // Told below, like a file that lacks a key.
  }
  throw new ConfigError(`The file ${file} does not hold the generated keys any more. Delete it to get new ones (agents then need the new key), or restore it.`)
}

function key (): string {
  return `scs_${randomBytes(24).toString('base64url')}`
}
