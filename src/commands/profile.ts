import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Caller } from '../connect/call.js'
import { isObject } from '../kernel/json.js'
import { CommandError, meant } from './command.js'
import { configFolder, type Environment } from './data-folder.js'

/** A server, and who calls it: what the commands that call a server need. */
export type Profile = Caller

/** The profile that is meant where none is named. */
const DEFAULT_PROFILE = 'default'

/** What the file holds. Fields that this version does not know stay in it. */
interface ProfileFile {
  profiles: Record<string, Profile>
}

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,99}$/u
/** Permissions of others than the file's owner. */
const OTHERS = 0o077

/** Where the profiles are: one file of the user, `profiles.json`. */
export function profilePath(environment: Environment = {}): string {
  return join(configFolder(environment), 'profiles.json')
}

/**
 * Reads a profile.
 * @param name left out: `default`
 * @returns undefined if no name is given and there is no profile `default`
 * @throws CommandError if the file is not the user's alone, is not what `writeProfile` writes, or lacks the named one
 */
export async function readProfile(name?: string): Promise<Profile | undefined> {
  const path = profilePath()
  const profiles = (await readProfiles(path))?.profiles ?? {}
  const wanted = name ?? DEFAULT_PROFILE
  if (Object.hasOwn(profiles, wanted)) return checked(path, wanted, profiles[wanted])
  if (name === undefined) return undefined
  const names = Object.keys(profiles)
  throw new CommandError(
    `There is no profile '${name}' in ${path}.${meant(name, names)} ` +
      (names.length > 0 ? `There are: ${names.join(', ')}.` : 'It has none.')
  )
}

/**
 * Adds a profile, or replaces the one of that name. The others stay. Only the user can read the file, at no moment
 * anybody else; it is exchanged whole.
 * @throws CommandError if the name or the profile cannot be used, or the file that is there cannot
 */
export async function writeProfile(name: string, profile: Profile): Promise<void> {
  if (!NAME.test(name))
    throw new CommandError(`'${name}' is no name of a profile: use letters, digits, '.', '_' and '-', 100 at most.`)
  const path = await linkTarget(profilePath())
  const content = (await readProfiles(path)) ?? { profiles: {} }
  content.profiles[name] = { ...content.profiles[name], ...checked(path, name, profile) }
  await exchange(path, content)
}

/** Whether there is a profile of that name with these values. @throws CommandError if the file cannot be used */
export async function hasProfile(name: string, expected: Profile): Promise<boolean> {
  const { profiles } = (await readProfiles(await linkTarget(profilePath()))) ?? { profiles: {} }
  return Object.hasOwn(profiles, name) && agrees(profiles[name], expected)
}

/** Removes a profile if there is one of that name with these values; the others stay. @throws CommandError */
export async function removeProfile(name: string, expected: Partial<Profile>): Promise<void> {
  const path = await linkTarget(profilePath())
  const content = await readProfiles(path)
  const found = content !== undefined && Object.hasOwn(content.profiles, name) ? content.profiles[name] : undefined
  if (content === undefined || found === undefined) return
  if (!agrees(found, expected)) return
  delete content.profiles[name]
  await exchange(path, content)
}

function agrees(found: Profile | undefined, expected: Partial<Profile>): boolean {
  return Object.entries(expected).every(([field, value]) => found?.[field as keyof Profile] === value)
}

async function exchange(path: string, content: ProfileFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
    await rename(draft, path)
  } finally {
    await rm(draft, { force: true })
  }
}

/** What a link points to: a user may keep such files elsewhere, and the link must stay. */
async function linkTarget(path: string): Promise<string> {
  return realpath(path).catch(() => path)
}

/** @returns undefined if there is no file */
async function readProfiles(path: string): Promise<ProfileFile | undefined> {
  const file = await opened(path)
  if (file === undefined) return undefined
  try {
    await refuseIfShared(file, path)
    const content = parsed(await file.readFile('utf8'))
    if (content !== undefined) return content
    throw new CommandError(`The file ${path} is not JSON with the object "profiles". Mend it, or delete it.`)
  } finally {
    await file.close()
  }
}

async function opened(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new CommandError(`The file ${path} cannot be read (${code}).`)
  }
}

/** Asks the open file, not its name, so that it cannot be exchanged between question and reading. */
async function refuseIfShared(file: FileHandle, path: string): Promise<void> {
  // Windows has no such bits; there, the folder of the user's application data is the user's alone.
  if (process.platform === 'win32') return
  const { mode, uid } = await file.stat()
  const user = process.getuid?.()
  if (uid !== user && uid !== 0)
    throw new CommandError(`The file ${path} belongs to another user, who could send your calls elsewhere. Delete it.`)
  if ((mode & OTHERS) !== 0)
    throw new CommandError(
      `The file ${path} holds API keys, and others than you may use it (mode ${(mode & 0o777).toString(8)}). ` +
        `Run: chmod 600 '${path}'. If somebody may have read it, replace the keys.`
    )
}

function parsed(text: string): ProfileFile | undefined {
  try {
    const content = JSON.parse(text) as Partial<ProfileFile> | null
    const { profiles } = content ?? {}
    return isObject(profiles) ? (content as ProfileFile) : undefined
  } catch {
    return undefined
  }
}

/** @throws CommandError that names the field, never its value, which may be a key */
function checked(path: string, name: string, profile: unknown): Profile {
  const { url, api_key, agent_id, agent_type } = Object(profile) as Record<keyof Profile, unknown>
  const fault =
    typeof url !== 'string' || !isAddress(url)
      ? '"url" must be an address such as http://127.0.0.1:23456, without a user or a query'
      : typeof api_key !== 'string' || !/^[\x21-\x7e]+$/.test(api_key)
        ? '"api_key" must be a text of ASCII without spaces'
        : [agent_id, agent_type].some(field => field !== undefined && (typeof field !== 'string' || field === ''))
          ? '"agent_id" and "agent_type" must be texts, or left out'
          : undefined
  if (fault !== undefined) throw new CommandError(`The profile '${name}' of ${path}: ${fault}.`)
  return profile as Profile
}

/** Whether a text is the address of a server. Credentials in it would be printed with it. */
export function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, search, hash } = new URL(text)
  return /^https?:$/.test(protocol) && [username, password, search, hash].every(part => part === '')
}
