import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey, type RemoteJWKSet } from 'jose'
import { AppError } from '../../kernel/errors.js'

/** Milliseconds a question to the issuer may take, its answer included. */
const TIMEOUT_MS = 5000
/**
 * Milliseconds between two questions for the same, whoever sends what tokens: a key that is not known yet, an issuer
 * that is down.
 */
const COOL_DOWN_MS = 5000
/**
 * Keys are asked for anew in the background after this, so that one the issuer has withdrawn is not taken for long ...
 */
const REFRESH_MS = 10 * 60_000
/** ... and while the issuer is down those that are known are good for this. */
const KEEP_MS = 60 * 60_000
const ANSWER_BYTES_MAX = 512 * 1024

export interface IssuerKeys {
  /**
   * The key that a token's header names. @throws AppError SERVICE_UNAVAILABLE where the issuer has to be asked and
   * cannot be
   */
  get: JWTVerifyGetKey
  /** Asks for them before the first token comes. */
  warm: () => Promise<void>
}

/**
 * The public keys of an outside issuer, found by its metadata (OpenID Connect Discovery, RFC 8414).
 * @param tell of a change for the worse or the better, in our words
 */
export function createIssuerKeys(
  issuer: string,
  tell: (state: 'reached' | 'unreachable', why: string) => void
): IssuerKeys {
  let found: { jwks: RemoteJWKSet; at: number } | undefined
  let finding: Promise<{ jwks: RemoteJWKSet; at: number }> | undefined
  let asked_at = -Infinity
  let failure: { at: number; why: string } | undefined
  let told: 'reached' | 'unreachable' | undefined

  /** Everything the issuer is asked goes through here: bounded, and not at once again after it failed. */
  async function ask<T>(question: () => Promise<T>): Promise<T> {
    if (failure !== undefined && performance.now() - failure.at < COOL_DOWN_MS) throw unavailable()
    try {
      const answer = await question()
      failure = undefined
      if (told !== 'reached') tell('reached', '')
      told = 'reached'
      return answer
    } catch (error) {
      const why = error instanceof IssuerFault ? error.message : 'it does not answer'
      failure = { at: performance.now(), why }
      if (told !== 'unreachable') tell('unreachable', why)
      told = 'unreachable'
      throw unavailable()
    }
  }

  async function discover(): Promise<{ jwks: RemoteJWKSet; at: number }> {
    const jwks_uri = await ask(() => jwksUriOf(issuer))
    const jwks = createRemoteJWKSet(new URL(jwks_uri), {
      cooldownDuration: COOL_DOWN_MS,
      cacheMaxAge: KEEP_MS,
      [customFetch]: async (url, { headers }) =>
        ask(async () => {
          asked_at = performance.now()
          const { status, text } = await read(url, Object.fromEntries(headers))
          if (status !== 200) throw new IssuerFault(`its keys answer HTTP ${status}`)
          if (!isKeySet(text)) throw new IssuerFault('its keys are not a JSON Web Key Set')
          return new Response(text, { status })
        })
    })
    return { jwks, at: performance.now() }
  }

  async function keys(): Promise<RemoteJWKSet> {
    if (found !== undefined) return found.jwks
    finding ??= discover().finally(() => {
      finding = undefined
    })
    found = await finding
    return found.jwks
  }

  /** Looks again where the keys are, and what they are, while those that are known serve. */
  function refresh(): void {
    if (finding !== undefined || found === undefined || performance.now() - asked_at < REFRESH_MS) return
    asked_at = performance.now()
    finding = discover()
      .then(async fresh => {
        await fresh.jwks.reload()
        return fresh
      })
      .finally(() => {
        finding = undefined
      })
    void finding.then(
      fresh => {
        found = fresh
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
    'The issuer of this token cannot be asked for its keys at the moment, so the token cannot be checked.',
    { retry_after: COOL_DOWN_MS / 1000 }
  )
}

/** In our words, for the log. */
class IssuerFault extends Error {}

/**
 * Where the issuer's metadata may be: OpenID Connect appends to the issuer's path, RFC 8414 puts its name before it.
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
  let why = ''
  for (const url of metadataUrls(issuer)) {
    const { status, text } = await read(url, { accept: 'application/json' })
    if (status !== 200) {
      why ||= `its metadata answers HTTP ${status}`
      continue
    }
    const metadata = parsed(text)
    // Another issuer's keys must not be taken for this one's.
    if (metadata.issuer !== issuer)
      throw new IssuerFault('its metadata names another issuer than OIDC_ISSUER; the two must be equal to the letter')
    if (typeof metadata.jwks_uri !== 'string' || !isSecure(metadata.jwks_uri))
      throw new IssuerFault('its metadata names no jwks_uri with https')
    return metadata.jwks_uri
  }
  throw new IssuerFault(why)
}

/** https, or http on this machine. */
function isSecure(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname, username, password } = new URL(url)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname))
}

/** A GET that follows no redirect, and ends in time whatever comes. */
async function read(url: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    // Leaving the loop cancels the rest.
    if (bytes > ANSWER_BYTES_MAX) throw new IssuerFault('it answers too much')
    chunks.push(chunk)
  }
  return { status: response.status, text: Buffer.concat(chunks).toString() }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    throw new IssuerFault('its metadata is not JSON')
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
