import { readFile, stat } from 'node:fs/promises'
import { EmbeddedError, useDatabaseUrl } from './error.js'
import { type Account, run } from './run.js'

export function isRoot(): boolean {
  return process.geteuid?.() === 0
}

/**
 * The user that PostgreSQL runs as. Undefined unless this process is root: then both run as the same user. For root it
 * is the owner of the cluster, else the user `postgres`, else `nobody`. The user must be in /etc/passwd, because
 * PostgreSQL looks up its own name.
 * @throws EmbeddedError if there is no such user
 */
export async function serverAccount(clusterDir?: string): Promise<Account | undefined> {
  if (!isRoot()) return undefined
  const accounts = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').flatMap(line => {
    const [name, , uid, gid] = line.split(':')
    return name && !name.startsWith('#') && Number(uid) > 0 && Number(gid) >= 0
      ? [{ name, uid: Number(uid), gid: Number(gid) }]
      : []
  })
  const owner = clusterDir === undefined ? undefined : (await stat(clusterDir).catch(() => undefined))?.uid
  const account =
    accounts.find(candidate => candidate.uid === owner) ??
    accounts.find(candidate => candidate.name === 'postgres') ??
    accounts.find(candidate => candidate.name === 'nobody')
  if (account !== undefined) return account
  throw new EmbeddedError(
    'PostgreSQL does not run as root, and /etc/passwd has neither a user "postgres" nor "nobody" to run it as. ' +
      `Start the program as an ordinary user, or ${useDatabaseUrl}.`
  )
}

/**
 * The first of these directories that the account cannot enter, found by an attempt as that user: mode bits alone would
 * not tell.
 */
export async function firstInaccessible(account: Account, directories: string[]): Promise<string | undefined> {
  const script = 'for d do cd "$d" 2>/dev/null || { printf %s "$d"; exit 9; }; done'
  const { code, output } = await run('/bin/sh', ['-c', script, 'sh', ...directories], account)
  if (code === 0) return undefined
  if (code === 9) return output
  throw new EmbeddedError(
    `PostgreSQL does not run as root, and this process may not act as the user "${account.name}" (${output}). ` +
      `Start the program as an ordinary user, or ${useDatabaseUrl}.`
  )
}
