import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readFile, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Refused } from './text/refused.js'

/** A file of a coding agent, as it is now. */
export interface FoundFile {
  path: string
  /** What the path leads to, after links. */
  target: string
  /** undefined: there is no file. */
  bytes: Buffer | undefined
  /** Its text, without the byte order mark. */
  text: string
  has_bom: boolean
  /** The permissions of its users; undefined: there is no file. */
  mode: number | undefined
}

const BOM = '\uFEFF'
/** Permissions of others than the file's owner. */
const OTHERS = 0o077
/** More than any configuration; a file of this size is not read. */
const SIZE_MAX = 64 * 1024 * 1024

/** Reads a file; there may be none. @throws Refused if it cannot be used */
export async function readFound(path: string): Promise<FoundFile> {
  const target = await targetOf(path)
  const found = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new Refused(`cannot be read (${error.code ?? 'unknown'})`)
  })
  if (found === undefined) return { path, target, bytes: undefined, text: '', has_bom: false, mode: undefined }
  if (!found.isFile()) throw new Refused('is no file')
  if (found.size > SIZE_MAX) throw new Refused('is larger than any configuration')
  const bytes = await readFile(target).catch((error: NodeJS.ErrnoException) => {
    throw new Refused(`cannot be read (${error.code ?? 'unknown'})`)
  })
  const decoded = decode(bytes)
  const has_bom = decoded.startsWith(BOM)
  return { path, target, bytes, text: has_bom ? decoded.slice(1) : decoded, has_bom, mode: found.mode & 0o777 }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Refused('is no text in UTF-8; save it as UTF-8 first')
  }
}

/** Links that are followed, one after the other; a circle ends here. */
const LINKS_MAX = 40

/** What a link leads to, even if nothing is there yet. */
async function targetOf(path: string, links = 0): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && links < LINKS_MAX) {
      const link = await readlink(path).catch(() => undefined)
      if (link === undefined) return path
      // It is relative to where its folder really is.
      const folder = await realpath(dirname(path))
      return targetOf(resolve(folder, link), links + 1)
    }
    throw new Refused(`cannot be read (${code ?? 'unknown'})`)
  }
}

/**
 * Writes a new text in place of a file, at once and whole: nobody ever reads half of it, and a link stays a link.
 * @param secret whether only the user may read it from now on
 * @returns the permissions that it had, if it has fewer now
 * @throws Refused if it may not be written, or is not what it was when it was read
 */
export async function exchange(file: FoundFile, text: string, secret: boolean): Promise<{ tightened?: number }> {
  const { target, bytes, has_bom, mode } = file
  const now = await readFound(file.path)
  if (!(bytes === undefined ? now.bytes === undefined : now.bytes?.equals(bytes) === true))
    throw new Refused('was changed by another program meanwhile; nothing was written, run the command again')
  // Exchanging a file needs no right to write it; but whoever has taken that right away means it.
  if (mode !== undefined && (mode & 0o200) === 0) throw new Refused('may not be written (it is read-only)')
  const wanted = mode === undefined ? (secret ? 0o600 : 0o644) : secret ? mode & ~OTHERS : mode
  const draft = `${target}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await mkdir(dirname(target), { recursive: true })
    // With the mode from the beginning: no moment in which others could read it.
    await writeFile(draft, `${has_bom ? BOM : ''}${text}`, { mode: wanted, flag: 'wx' })
    if (mode !== undefined) await keepOwner(draft, target, wanted)
    await rename(draft, target)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Refused(`cannot be written (${code ?? 'unknown'})`)
  } finally {
    await rm(draft, { force: true })
  }
  // Windows has no such permissions.
  return mode === undefined || wanted === mode || process.platform === 'win32' ? {} : { tightened: mode }
}

/** A user's file stays the user's, also if root writes it. The umask takes no rights from a file that had them. */
async function keepOwner(draft: string, target: string, mode: number): Promise<void> {
  const { uid, gid } = await stat(target)
  const own = await stat(draft)
  if (own.uid !== uid || own.gid !== gid) await chown(draft, uid, gid)
  await chmod(draft, mode)
}

/** Removes a file that this program has made. */
export async function removeFile({ target }: FoundFile): Promise<void> {
  await rm(target)
}
