import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** A token issuer as companies run them: metadata and keys over HTTP, signatures of its own making. */
export interface Issuer {
  url: string
  /** How often each of its pages was asked for. */
  asked: { metadata: number; jwks: number }
  /** What it publishes of its keys; JSON may hold anything. */
  published: (keys: Published[]) => unknown[]
  /** Answers in place of its own, for one page. */
  instead: { metadata?: Page; jwks?: Page }
  /** Publishes a new key, and signs with it from now on. */
  rotate: (alg?: Alg, keep?: boolean) => SigningKey
  key: () => SigningKey
  /** A good token for one audience, but for what is said otherwise; undefined takes a claim away. */
  token: (claims?: Record<string, unknown>, how?: { header?: Record<string, unknown>; key?: SigningKey }) => string
  stop: () => Promise<void>
  start: () => Promise<void>
}

export type Page = (request: IncomingMessage, response: ServerResponse) => void
export type Alg = 'RS256' | 'PS256' | 'ES256' | 'EdDSA'
export type Published = Record<string, unknown>
export interface SigningKey {
  alg: Alg
  kid: string
  privateKey: KeyObject
  publicKey: KeyObject
}

export const AUDIENCE = 'https://context.test/mcp'

export function newKey(alg: Alg = 'RS256'): SigningKey {
  const pair =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { alg, kid: randomUUID(), ...pair }
}

export const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

export function signWith(
  { alg, privateKey }: Pick<SigningKey, 'alg' | 'privateKey'>,
  header: Record<string, unknown>,
  claims: Record<string, unknown>
): string {
  const text = `${encode(header)}.${encode(claims)}`
  const key = {
    key: privateKey,
    dsaEncoding: 'ieee-p1363' as const,
    ...(alg === 'PS256' && { padding: 6, saltLength: 32 })
  }
  return `${text}.${sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(text), key).toString('base64url')}`
}

export async function startIssuer(
  t: Test,
  {
    path = '',
    metadata = '/.well-known/openid-configuration',
    alg = 'ES256'
  }: { path?: string; metadata?: string; alg?: Alg } = {}
): Promise<Issuer> {
  // An RSA key takes a busy machine so long to make that what waits meanwhile runs out of time.
  let keys = [newKey(alg)]
  const server = createServer((request, response) => {
    const page =
      request.url === `${path}${metadata}` || request.url === metadata
        ? 'metadata'
        : request.url === '/keys'
          ? 'jwks'
          : undefined
    if (page === undefined) {
      response.writeHead(404).end()
      return
    }
    issuer.asked[page]++
    const instead = issuer.instead[page]
    if (instead !== undefined) {
      instead(request, response)
      return
    }
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify(
        page === 'metadata'
          ? {
              issuer: issuer.url,
              jwks_uri: `${new URL(issuer.url).origin}/keys`,
              authorization_endpoint: `${issuer.url}/authorize`,
              token_endpoint: `${issuer.url}/token`,
              subject_types_supported: ['public'],
              id_token_signing_alg_values_supported: ['RS256'],
              response_types_supported: ['code'],
              code_challenge_methods_supported: ['S256']
            }
          : {
              keys: issuer.published(
                keys.map(({ alg, kid, publicKey }) => ({
                  ...publicKey.export({ format: 'jwk' }),
                  kid,
                  alg,
                  use: 'sig'
                }))
              )
            }
      )
    )
  })
  const listen = async (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve)
    })
  await listen(0)
  const { port } = server.address() as AddressInfo
  const issuer: Issuer = {
    url: `http://127.0.0.1:${port}${path}`,
    asked: { metadata: 0, jwks: 0 },
    published: keys => keys,
    instead: {},
    key: () => keys.at(-1) as SigningKey,
    rotate(alg = 'ES256', keep = true) {
      const key = newKey(alg)
      keys = keep ? [...keys, key] : [key]
      return key
    },
    token(claims = {}, { header = {}, key = issuer.key() } = {}) {
      const now = Math.floor(Date.now() / 1000)
      return signWith(
        key,
        { alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header },
        {
          iss: issuer.url,
          aud: AUDIENCE,
          sub: 'outsider',
          iat: now,
          exp: now + 300,
          jti: randomUUID(),
          scope: 'read write',
          ...claims
        }
      )
    },
    async stop() {
      server.closeAllConnections()
      if (server.listening)
        await new Promise(resolve => {
          server.close(resolve)
        })
    },
    start: () => listen(port)
  }
  t.teardown(issuer.stop)
  return issuer
}
