import { type DatabaseAddress, placeOf } from '../config/database-url.js'
import { ConnectError, isConnectionFault, NO_TLS, UnfitDatabase } from './faults.js'
import { readOnlySentence } from './requirements.js'

/** Why no connection can be used, for the operator. */
export interface Explanation {
  /** One sentence or two: what is wrong, and the cure. */
  sentence: string
  /** Whether waiting does not help: somebody has to change something first. */
  permanent: boolean
}

/** Codes of Node for certificates that are not trusted, and what they mean. */
const UNTRUSTED: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'is signed by an authority that is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'is signed by an authority that is not known here',
  CERT_SIGNATURE_FAILURE: 'is not signed by the authority of sslrootcert',
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another host'
}
/** What to do, where naming the authority is no help. */
const CURES: Record<string, string> = {
  CERT_HAS_EXPIRED: 'Renew it',
  CERT_NOT_YET_VALID: 'Check the clocks of both machines',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Use a host that it names'
}
const OTHER_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID'
const NO_NAMES = "verify-ca with the authority's certificate as sslrootcert, which compares no names"

/**
 * @param variable the name of the variable that has the address
 * @returns undefined if the error is not about a connection
 */
export function explainConnect(error: unknown, address: DatabaseAddress, variable: string): Explanation | undefined {
  const unfit = error instanceof ConnectError ? error.cause : error
  if (unfit instanceof UnfitDatabase) return { sentence: unfit.message, permanent: true }
  if (!isConnectionFault(error)) return undefined
  const { code: given, message } = error as Error & { code?: unknown }
  const reason = error instanceof ConnectError ? error.reason : message
  const code = typeof given === 'string' ? given : ''
  const places = address.hosts.map(placeOf).join(', ')
  if (address.hosts.length > 1)
    return { sentence: `No server of ${variable} can be used (${reason}).`, permanent: false }
  const tls = explainTls(code, reason, address, variable, places)
  if (tls !== undefined) return { sentence: tls, permanent: true }
  const database = address.database ?? address.user ?? ''
  const permanent: Record<string, string> = {
    '28P01': `The database refuses the user or the password of ${variable}.`,
    28000:
      `The database refuses the user of ${variable} from this machine (see the server's pg_hba.conf).` +
      // Its words say so, in the language that the server speaks.
      (address.tls === 'disable' ? ' If it admits only connections with TLS, set sslmode=require.' : ''),
    25006: readOnlySentence(variable),
    '3D000':
      `The database "${database}" of ${variable} does not exist on its server. ` +
      `Create it first: create database "${database}"`
  }
  if (permanent[code] !== undefined) return { sentence: permanent[code], permanent: true }
  const [host] = places.split(':')
  const passing: Record<string, string> = {
    ENOTFOUND: `The host ${host} of ${variable} is unknown. Check its spelling.`,
    EAI_AGAIN: `No name server answers for the host ${host} of ${variable}. Check the network and DNS.`,
    ECONNREFUSED: `Nothing listens at ${places}. Check that PostgreSQL runs there, and the port of ${variable}.`,
    ENOENT: `There is no socket ${places}. Check that PostgreSQL runs, and host and port of ${variable}.`,
    EACCES: `This user may not use the socket ${places}.`
  }
  const sentence =
    passing[code] ??
    (/timeout|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/.test(`${code} ${reason}`)
      ? `The database at ${places} does not answer. Check the host of ${variable}, and the firewalls on the way.`
      : `The database at ${places} gives no connection: ${reason}.`)
  return { sentence, permanent: false }
}

const WANTS_CERTIFICATE =
  /connection requires a valid client certificate|certificate authentication failed|alert (bad|unknown|certificate)/

function explainTls(
  code: string,
  reason: string,
  { tls }: DatabaseAddress,
  variable: string,
  places: string
): string | undefined {
  if (reason === NO_TLS)
    return (
      `The server at ${places} offers no TLS, and sslmode=${tls} demands it. ` +
      `Turn on its setting ssl, or set sslmode=prefer in ${variable}.`
    )
  if (UNTRUSTED[code] !== undefined)
    return (
      `The certificate of the server at ${places} ${UNTRUSTED[code]}, and sslmode=${tls} checks it. ` +
      (CURES[code] ?? `Name the authority's certificate with sslrootcert=<file> in ${variable}`) +
      `, or set sslmode=${code === OTHER_NAME ? NO_NAMES : 'require without sslrootcert, which checks nothing'}.`
    )
  if (/no encryption|SSL off/.test(reason))
    return `The server at ${places} admits only connections with TLS. Set sslmode=require in ${variable}.`
  if (WANTS_CERTIFICATE.test(reason))
    return `The server at ${places} wants a certificate of the client. Name it with sslcert and sslkey in ${variable}.`
  if (/^(ERR_SSL|ERR_TLS|ERR_OSSL|EPROTO)/.test(code))
    return (
      `TLS with the server at ${places} fails: ${reason}. ` +
      `See sslmode, sslrootcert, sslcert and sslkey in ${variable}.`
    )
  return undefined
}
