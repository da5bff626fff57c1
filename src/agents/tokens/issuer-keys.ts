import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey, type RemoteJWKSet } from 'jose'
import { AppError } from '../../kernel/errors.js'

/** Time limit of a request to the issuer, including its response, in milliseconds. */
const TIMEOUT_MS = 5000
/**
 * Least time between two requests to the issuer for an unknown key or after a failure, in milliseconds, whatever tokens
 * callers send.
 */
const COOL_DOWN_MS = 5000
/**
 * Age at which keys are refreshed in the background, so that a key the issuer has withdrawn is soon refused.
 */
const REFRESH_MS = 10 * 60_000
/** For how long known keys are used while the issuer is down. */
const CACHE_MAX_MS = 60 * 60_000
const RESPONSE_MAX_BYTES = 512 * 1024

export interface IssuerKeys {
  /**
   * The key that a token's header names.
   * @throws AppError SERVICE_UNAVAILABLE if the issuer cannot be reached and the key is not known
   */
  get: JWTVerifyGetKey
  /** Fetches the keys before the first token arrives. */
  warm: () => Promise<void>
}

/**
 * The public keys of an outside issuer, found by its metadata (OpenID Connect Discovery, RFC 8414).
 * @param onStateChange of a change for the worse or the better, in our words
 */
export function createIssuerKeys(
  issuer: string,
  onStateChange: (state: 'reached' | 'unreachable', reason: string) => void
): IssuerKeys {
  let current: { jwks: RemoteJWKSet; at: number } | undefined
  let discovery: Promise<{ jwks: RemoteJWKSet; at: number }> | undefined
  let requested_at = -Infinity
  let failure: { at: number; reason: string } | undefined
  let lastState: 'reached' | 'unreachable' | undefined

  /** Makes every request to the issuer; after a failure, it refuses further ones for a time. */
  async function requestIssuer<T>(request: () => Promise<T>): Promise<T> {
    if (failure !== undefined && performance.now() - failure.at < COOL_DOWN_MS) throw unavailable()
    try {
      const answer = await request()
      failure = undefined
      if (lastState !== 'reached') onStateChange('reached', '')
      lastState = 'reached'
      return answer
    } catch (error) {
      const reason = error instanceof IssuerError ? error.message : 'it does not answer'
      failure = { at: performance.now(), reason }
      if (lastState !== 'unreachable') onStateChange('unreachable', reason)
      lastState = 'unreachable'
      throw unavailable()
    }
  }

  async function discover(): Promise<{ jwks: RemoteJWKSet; at: number }> {
    const jwks_uri = await requestIssuer(() => jwksUriOf(issuer))
    const jwks = createRemoteJWKSet(new URL(jwks_uri), {
      cooldownDuration: COOL_DOWN_MS,
      cacheMaxAge: CACHE_MAX_MS,
      [customFetch]: async (url, { headers }) =>
        requestIssuer(async () => {
          requested_at = performance.now()
          const { status, text } = await read(url, Object.fromEntries(headers))
          if (status !== 200) throw new IssuerError(`its keys answer HTTP ${status}`)
          if (!isKeySet(text)) throw new IssuerError('its keys are not a JSON Web Key Set')
          return new Response(text, { status })
        })
    })
    return { jwks, at: performance.now() }
  }

  async function keys(): Promise<RemoteJWKSet> {
    if (current !== undefined) return current.jwks
    discovery ??= discover().finally(() => {
      discovery = undefined
    })
    current = await discovery
    return current.jwks
  }

  /** Refreshes the address of the keys and the keys in the background, while the known ones stay in use. */
  function refresh(): void {
    if (discovery !== undefined || current === undefined || performance.now() - requested_at < REFRESH_MS) return
    requested_at = performance.now()
    discovery = discover()
      .then(async fresh => {
        await fresh.jwks.reload()
        return fresh
      })
      .finally(() => {
        discovery = undefined
      })
    void discovery.then(
      fresh => {
        current = fresh
      },
      () => {}
    )
  }

  const get: JWTVerifyGetKey = async (header, token) => {
    const jwks = await keys()
    refresh()
    return jwks(header, token)
  }
  return {
    get,
    async warm() {
      const jwks = await keys()
      await jwks.reload()
    }
  }
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

async function jwksUriOf(issuer: string): Promise<string> {
  let reason = ''
  for (const url of metadataUrls(issuer)) {
    const { status, text } = await read(url, { accept: 'application/json' })
    if (status !== 200) {
      reason ||= `its metadata answers HTTP ${status}`
      continue
    }
    const metadata = parseMetadata(text)
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
async function read(url: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
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

function parseMetadata(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    throw new IssuerError('its metadata is not JSON')
  }
}

function isKeySet(text: string): boolean {
  try {
    const { keys } = Object(JSON.parse(text)) as { keys?: unknown }
    return Array.isArray(keys) && keys.every(key => typeof key === 'object' && key !== null && !Array.isArray(key))
  } catch {
    return false
  }
}
