import { createPublicKey } from 'node:crypto'
import { type JWK, type JWSHeaderParameters } from 'jose'
import { AppError } from '../../kernel/errors.js'

/** Time limit of a request to the issuer, including its response, in milliseconds. */
const TIMEOUT_MS = 5000
/** Least time between two readings, in milliseconds: callers' tokens must not make the server ask more often. */
const COOL_DOWN_MS = 5000
/** Age at which keys are read again in the background, so that a key the issuer has withdrawn is soon refused. */
const REFRESH_MS = 10 * 60_000
/** For how long known keys are used while the issuer is down. */
const CACHE_MAX_MS = 60 * 60_000
const RESPONSE_MAX_BYTES = 512 * 1024
/** Most keys that are tried for one token: each costs a verification. */
const CANDIDATES_MAX = 8

export interface IssuerKeys {
  /**
   * The keys that may have signed a token with this header. Keys of other algorithms, or with another use, are left
   * out.
   * @throws AppError SERVICE_UNAVAILABLE if there is none, and the issuer cannot be reached for its present keys
   */
  candidates: (header: JWSHeaderParameters) => Promise<JWK[]>
  /** Reads the keys, unless that was done a moment ago. Never throws. @returns whether they have changed */
  reload: () => Promise<boolean>
}

/**
 * The public keys of an outside issuer, found by its metadata (OpenID Connect Discovery, RFC 8414).
 * @param onStateChange called when the issuer begins or ceases to answer, with the reason in our words
 */
export function createIssuerKeys(
  issuer: string,
  onStateChange: (state: 'reached' | 'unreachable', reason: string) => void
): IssuerKeys {
  let known: { keys: JWK[]; text: string; at: number } | undefined
  let lastState: 'reached' | 'unreachable' | undefined
  let asked_at = -Infinity
  let reading: Promise<boolean> | undefined

  async function read(): Promise<boolean> {
    let reason = ''
    let changed = false
    try {
      const { keys, text } = await keysAt(await jwksUriOf(issuer))
      changed = text !== known?.text
      known = { keys, text, at: performance.now() }
    } catch (error) {
      reason = error instanceof IssuerError ? error.message : 'it does not answer'
    }
    const state = reason === '' ? 'reached' : 'unreachable'
    if (state !== lastState) onStateChange(state, reason)
    lastState = state
    return changed
  }

  async function reload(): Promise<boolean> {
    if (reading === undefined) {
      if (performance.now() - asked_at < COOL_DOWN_MS) return false
      asked_at = performance.now()
      reading = read().finally(() => {
        reading = undefined
      })
    }
    return reading
  }

  function fitting(header: JWSHeaderParameters): JWK[] {
    return (known?.keys ?? []).filter(key => fits(key, header)).slice(0, CANDIDATES_MAX)
  }

  return {
    reload,
    async candidates(header) {
      const age_ms = performance.now() - (known?.at ?? -Infinity)
      if (age_ms > CACHE_MAX_MS) known = undefined
      else if (age_ms > REFRESH_MS) void reload()
      const found = fitting(header)
      if (found.length > 0) return found
      await reload()
      const fresh = fitting(header)
      if (fresh.length === 0 && lastState === 'unreachable') throw unavailable()
      return fresh
    }
  }
}

/** The kind of key that each algorithm needs; for elliptic curves also the curve. */
function kindOf(alg: string): Pick<JWK, 'kty' | 'crv'> {
  if (alg.startsWith('ES')) return { kty: 'EC', crv: { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg] }
  return alg.startsWith('Ed') ? { kty: 'OKP', crv: 'Ed25519' } : { kty: 'RSA' }
}

/** Whether a key may have signed a token with this header. What a key does not say fits (RFC 7517). */
function fits(key: JWK, { alg = '', kid }: JWSHeaderParameters): boolean {
  const { kty, crv } = kindOf(alg)
  return (
    key.kty === kty &&
    (crv === undefined || key.crv === crv) &&
    (kid === undefined || key.kid === kid) &&
    (typeof key.alg !== 'string' || key.alg === alg) &&
    (typeof key.use !== 'string' || key.use === 'sig') &&
    (!Array.isArray(key.key_ops) || key.key_ops.includes('verify'))
  )
}

function unavailable(): AppError {
  return new AppError(
    'SERVICE_UNAVAILABLE',
    'The issuer of this token cannot be reached for its keys at the moment, so the token cannot be checked.',
    { retry_after: COOL_DOWN_MS / 1000 }
  )
}

/** Its message contains no text of the issuer, so it can be logged. */
class IssuerError extends Error {}

/**
 * The possible addresses of the issuer's metadata: OpenID Connect appends to the issuer's path, RFC 8414 inserts before
 * it.
 */
function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    ...new Set([
      `${origin}${path}/.well-known/openid-configuration`,
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}/.well-known/openid-configuration${path}`
    ])
  ]
}

function isPublicKey(key: unknown): key is JWK {
  try {
    return createPublicKey({ key: key as JWK, format: 'jwk' }).type === 'public'
  } catch {
    return false
  }
}

/** The keys of a JSON Web Key Set. What is none in it is left out. */
async function keysAt(jwks_uri: string): Promise<{ keys: JWK[]; text: string }> {
  const { status, text } = await get(jwks_uri)
  if (status !== 200) throw new IssuerError(`its keys answer HTTP ${status}`)
  const { keys } = parse(text, 'its keys are not JSON')
  if (!Array.isArray(keys)) throw new IssuerError('its keys are not a JSON Web Key Set')
  return { keys: keys.filter(isPublicKey), text }
}

async function jwksUriOf(issuer: string): Promise<string> {
  let reason = ''
  for (const url of metadataUrls(issuer)) {
    const { status, text } = await get(url)
    if (status !== 200) {
      reason ||= `its metadata answers HTTP ${status}`
      continue
    }
    const metadata = parse(text, 'its metadata is not JSON')
    // Do not use the keys of another issuer.
    if (metadata.issuer !== issuer)
      throw new IssuerError('its metadata names another issuer than OIDC_ISSUER; the two must be equal to the letter')
    if (typeof metadata.jwks_uri !== 'string' || !isSecure(metadata.jwks_uri))
      throw new IssuerError('its metadata names no jwks_uri with https')
    return metadata.jwks_uri
  }
  throw new IssuerError(reason)
}

/** Whether the URL has https, or http with a loopback host. */
function isSecure(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname, username, password } = new URL(url)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname))
}

/** Sends a GET request without following redirects, with limits on time and size. */
async function get(url: string): Promise<{ status: number; text: string }> {
  const headers = { accept: 'application/json, application/jwk-set+json' }
  const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    // Leaving the loop cancels the download.
    if (bytes > RESPONSE_MAX_BYTES) throw new IssuerError('it answers too much')
    chunks.push(chunk)
  }
  return { status: response.status, text: Buffer.concat(chunks).toString() }
}

function parse(text: string, fault: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    throw new IssuerError(fault)
  }
}
