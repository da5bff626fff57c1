import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../config/config.js'

/**
 * The keys of an installation with the embedded PostgreSQL. The first run generates them and stores them in the data
 * folder, readable only by its owner.
 */
export interface LocalSecrets {
  api_key: string
  admin_api_key: string
  jwt_secret_key: string
  audit_hmac_key: string
}

export const SECRETS_FILE = 'secrets.json'
/**
 * A file of its own: installations of releases without an audit chain get the key too, and the other keys can be shared
 * without it.
 */
const AUDIT_FILE = 'audit-key.json'

/**
 * Reads the generated keys, or generates them on the first run.
 * @throws ConfigError if a file exists and cannot be used
 */
export async function localSecrets(dataDir: string): Promise<LocalSecrets> {
  await mkdir(dataDir, { recursive: true })
  const secrets = await readOrCreate(join(dataDir, SECRETS_FILE), readSecrets, () => ({
    api_key: newApiKey(),
    admin_api_key: newApiKey(),
    jwt_secret_key: randomBytes(32).toString('hex')
  }))
  const audit = await readOrCreate(join(dataDir, AUDIT_FILE), readAuditKey, () => ({
    audit_hmac_key: randomBytes(32).toString('hex')
  }))
  return { ...secrets, ...audit }
}

/** Returns the contents of the file, and creates it if it does not exist. */
async function readOrCreate<T>(
  file: string,
  read: (file: string) => Promise<T | undefined>,
  create: () => T
): Promise<T> {
  const existing = await read(file)
  if (existing !== undefined) return existing
  const secrets = create()
  // Write a complete file under another name, then link it. If two first runs race, one link succeeds and the other
  // process reads that file.
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  await writeFile(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  try {
    await link(draft, file)
    return secrets
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return (await read(file)) as T
  } finally {
    await rm(draft, { force: true })
  }
}

async function readSecrets(file: string): Promise<Omit<LocalSecrets, 'audit_hmac_key'> | undefined> {
  const contents = await readKeys(file, 'API_KEY, ADMIN_API_KEY and JWT_SECRET_KEY')
  if (contents === undefined) return undefined
  const { api_key, admin_api_key, jwt_secret_key } = contents
  if (
    typeof api_key === 'string' &&
    typeof admin_api_key === 'string' &&
    typeof jwt_secret_key === 'string' &&
    jwt_secret_key.length >= 32
  ) {
    return { api_key, admin_api_key, jwt_secret_key }
  }
  throw new ConfigError(
    `The file ${file} no longer contains the generated keys. Restore it, or delete it to get new keys, ` +
      'which agents then need.'
  )
}

async function readAuditKey(file: string): Promise<Pick<LocalSecrets, 'audit_hmac_key'> | undefined> {
  const contents = await readKeys(file, 'AUDIT_HMAC_KEY')
  if (contents === undefined) return undefined
  const { audit_hmac_key } = contents
  if (typeof audit_hmac_key === 'string' && audit_hmac_key.length >= 32) return { audit_hmac_key }
  throw new ConfigError(
    `The file ${file} no longer contains the key of the audit log. Restore it: ` +
      'without that key, nobody can verify the audit log it signed.'
  )
}

/** @returns undefined if there is no file, and an empty object if it is not JSON */
async function readKeys(file: string, variables: string): Promise<Record<string, unknown> | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ConfigError(
      `The generated keys in ${file} cannot be read. Run as the user who created them, or set ${variables}.`
    )
  }
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    return {}
  }
}

function newApiKey(): string {
  return `scs_${randomBytes(24).toString('base64url')}`
}
