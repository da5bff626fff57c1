import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'

/** Where a database is and how to reach it: what a URL says, in the meaning that libpq gives it. */
export interface DatabaseAddress {
  /** In the order in which they are tried. A host that begins with / is the folder of a Unix socket. */
  hosts: ReadonlyArray<{ host: string | undefined; port: number | undefined }>
  user: string | undefined
  password: string | undefined
  database: string | undefined
  tls: TlsMode
  /** Which server of several will do; `any`: also one that does not take writes. */
  target: 'any' | 'read-write' | 'primary'
  application_name: string | undefined
  /** Settings of the server, as in `-c search_path=…`. */
  options: string | undefined
  sslnegotiation: 'postgres' | 'direct'
  /** What TLS is made with. Reads the files anew, since certificates are renewed. @throws Error of the file system */
  tlsOptions: () => ConnectionOptions
}

const TLS_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type TlsMode = (typeof TLS_MODES)[number]

const EXAMPLE = 'postgres://user:password@host:5432/database'
const NOT_A_URL = `is not a valid URL such as ${EXAMPLE}; encode special characters of the password, such as @ as %40`
/** What pg calls the mode that trusts every certificate; libpq has `require` for it. */
const NO_VERIFY = 'no-verify'

/**
 * Reads a URL as libpq does: with several hosts, with the folder of a socket as `host`, and with its names for TLS.
 * @throws Error whose message continues a sentence that begins with the variable's name
 */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  const [, authority = '', path = '', query = ''] =
    /^postgres(?:ql)?:\/\/([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/is.exec(text) ?? refuse(notPostgres(text))
  const at = authority.lastIndexOf('@')
  const [, user, password] = /^([^:]*)(?::(.*))?$/s.exec(at < 0 ? '' : authority.slice(0, at)) ?? []
  const parameters = parametersOf(query)
  const target = parameters.get('target_session_attrs')
  const hosts = hostsOf(authority.slice(at + 1), parameters.get('host'), parameters.get('port'))
  return {
    hosts,
    user: parameters.get('user') ?? (decoded(user) || undefined),
    password: parameters.get('password') ?? (decoded(password) || undefined),
    database: parameters.get('dbname') ?? (decoded(path) || undefined),
    target: target === undefined ? (hosts.length > 1 ? 'read-write' : 'any') : targetOf(target),
    application_name: parameters.get('application_name'),
    options: parameters.get('options'),
    sslnegotiation: parameters.get('sslnegotiation') === 'direct' ? 'direct' : 'postgres',
    ...tlsOf(parameters)
  }
}

function refuse(message: string): never {
  throw new Error(message)
}

function notPostgres(text: string): string {
  const scheme = /^[a-z0-9+]{1,20}:/i.exec(text)?.[0]
  const not = scheme === undefined ? '' : ` (not ${scheme})`
  return `must be a PostgreSQL URL, ${EXAMPLE}${not}; leave it unset for the embedded PostgreSQL`
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text)
  } catch {
    return refuse(NOT_A_URL)
  }
}

/** Not URLSearchParams, which reads a + as a space: a password may hold one. */
function parametersOf(query: string): ReadonlyMap<string, string> {
  return new Map(
    query
      .split('&')
      .filter(pair => pair !== '')
      .map(pair => {
        const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? []
        return [decoded(name) as string, decoded(value) as string]
      })
  )
}

function hostsOf(
  authority: string,
  host: string | undefined,
  port: string | undefined
): Array<DatabaseAddress['hosts'][number]> {
  const written = authority.split(',').map(each => {
    const [, name, digits] = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(each) ?? refuse(NOT_A_URL)
    return { host: decoded(name?.replace(/^\[(.*)\]$/, '$1')), port: digits }
  })
  const names = host?.split(',') ?? written.map(each => each.host)
  const ports = port?.split(',') ?? (host === undefined ? written.map(each => each.port) : [written[0]?.port])
  if (ports.length > 1 && ports.length !== names.length) refuse('names more ports than hosts, or fewer')
  return names.map((name, i) => ({ host: name || undefined, port: portOf(ports.length > 1 ? ports[i] : ports[0]) }))
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port > 0 && port < 65_536 ? port : refuse(`has a port that is no number from 1 to 65535`)
}

function targetOf(target: string): DatabaseAddress['target'] {
  if (target === 'any' || target === 'read-write' || target === 'primary') return target
  return refuse(
    `has target_session_attrs=${quoted(target)}; the service writes, so it can only be read-write, primary or any`
  )
}

function tlsOf(parameters: ReadonlyMap<string, string>): Pick<DatabaseAddress, 'tls' | 'tlsOptions'> {
  const ssl = parameters.get('ssl')
  const asked =
    parameters.get('sslmode') ?? (ssl === 'true' || ssl === '1' ? 'require' : ssl === undefined ? 'prefer' : 'disable')
  const tls = TLS_MODES.find(mode => mode === asked) ?? (asked === NO_VERIFY ? 'require' : undefined)
  if (tls === undefined) refuse(`has sslmode=${quoted(asked)}, which is none of ${TLS_MODES.join(', ')}`)
  const { sslrootcert, sslcert, sslkey } = Object.fromEntries(parameters) as Record<string, string | undefined>
  const root = sslrootcert === 'system' || asked === NO_VERIFY ? undefined : sslrootcert
  if (tls === 'verify-ca' && root === undefined)
    refuse('has sslmode=verify-ca, which needs sslrootcert=<file>; without one use sslmode=verify-full')
  if ((sslcert === undefined) !== (sslkey === undefined)) refuse('has one of sslcert and sslkey, and needs both')
  for (const [name, file] of Object.entries({ sslrootcert: root, sslcert, sslkey })) if (file) readable(name, file)
  const checksChain = tls === 'verify-full' || tls === 'verify-ca' || (tls === 'require' && root !== undefined)
  return {
    tls,
    tlsOptions: () => ({
      rejectUnauthorized: checksChain,
      ...(root !== undefined && { ca: readFileSync(root) }),
      ...(sslcert !== undefined && sslkey !== undefined && { cert: readFileSync(sslcert), key: readFileSync(sslkey) }),
      ...(parameters.has('sslpassword') && { passphrase: parameters.get('sslpassword') }),
      // Only verify-full compares the names in the certificate with the host.
      ...(tls !== 'verify-full' && { checkServerIdentity: () => undefined })
    })
  }
}

function readable(name: string, file: string): void {
  try {
    readFileSync(file)
  } catch (error) {
    refuse(`names the file ${file} as ${name}, which cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** A word of the URL in an error: only if it is one, since the rest of the URL may be secret. */
function quoted(word: string): string {
  return /^[\w-]{0,30}$/.test(word) ? `"${word}"` : '…'
}

/** Host and port, for people. The rest of a URL may be secret. */
export function placeOf({ host = 'localhost', port = 5432 }: DatabaseAddress['hosts'][number]): string {
  return host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host.includes(':') ? `[${host}]` : host}:${port}`
}
