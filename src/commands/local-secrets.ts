import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../config/config.js'

/**
 * The keys of an installation that has only its data folder: made on the first run, kept there, for the owner's eyes.
 */
export interface LocalSecrets {
  api_key: string
  admin_api_key: string
  jwt_secret_key: string
  audit_hmac_key: string
}

export const SECRETS_FILE = 'secrets.json'
/**
 * By itself: installations of releases without an audit chain get it too, and who shares the other keys need not share
 * this one.
 */
const AUDIT_FILE = 'audit-key.json'

/** @throws ConfigError where the file is there and cannot be used */
export async function localSecrets(dataDir: string): Promise<LocalSecrets> {
  await mkdir(dataDir, { recursive: true })
  const secrets = await kept(join(dataDir, SECRETS_FILE), readSecrets, () => ({
    api_key: key(),
    admin_api_key: key(),
    jwt_secret_key: randomBytes(32).toString('hex')
  }))
  const audit = await kept(join(dataDir, AUDIT_FILE), readAuditKey, () => ({
    audit_hmac_key: randomBytes(32).toString('hex')
  }))
  return { ...secrets, ...audit }
}

/** What the file holds, made where there is none. */
async function kept<T>(file: string, read: (file: string) => Promise<T | undefined>, make: () => T): Promise<T> {
  const existing = await read(file)
  if (existing !== undefined) return existing
  const secrets = make()
  // Written whole under another name, then linked: of two first runs at once, one wins and the other reads the
  // winner's.
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
  const held = await readKeys(file, 'API_KEY, ADMIN_API_KEY and JWT_SECRET_KEY')
  if (held === undefined) return undefined
  const { api_key, admin_api_key, jwt_secret_key } = held
  if (
    typeof api_key === 'string' &&
    typeof admin_api_key === 'string' &&
    typeof jwt_secret_key === 'string' &&
    jwt_secret_key.length >= 32
  ) {
    return { api_key, admin_api_key, jwt_secret_key }
  }
  throw new ConfigError(
    `The file ${file} does not hold the generated keys any more. Delete it to get new ones (agents then need the new key), or restore it.`
  )
}

async function readAuditKey(file: string): Promise<Pick<LocalSecrets, 'audit_hmac_key'> | undefined> {
  const held = await readKeys(file, 'AUDIT_HMAC_KEY')
  if (held === undefined) return undefined
  const { audit_hmac_key } = held
  if (typeof audit_hmac_key === 'string' && audit_hmac_key.length >= 32) return { audit_hmac_key }
  throw new ConfigError(
    `The file ${file} does not hold the key of the audit log any more. Restore it; without it, nobody can verify what it has signed.`
  )
}

/** @returns nothing where there is no file, and an empty object where it is no JSON */
async function readKeys(file: string, variables: string): Promise<Record<string, unknown> | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ConfigError(
      `The generated keys in ${file} cannot be read; run as the user who made them, or pass ${variables}.`
    )
  }
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    return {}
  }
}

function key(): string {
  return `scs_${randomBytes(24).toString('base64url')}`
}
