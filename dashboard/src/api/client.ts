import { SharedContext, type Tools } from '../../../clients/typescript/src/index.js'
import { addressOf } from './base.js'
import type { Output } from './catalogue.js'
import { endsSignIn } from './failure.js'

/** Who signed in, as the service said. */
export interface Identity {
  token: string
  agent_id: string
  agent_type: string
  permissions: string[]
  /** Milliseconds since 1970. */
  expires_at: number
  /** Whether the service renews it: it does so for its own tokens, not for those of another issuer. */
  renewable: boolean
}

/** The tab's own storage: it ends with the tab, and no other tab reads it. */
const STORED = 'shared-context.identity'
/** Where a token does not say when it ends, in milliseconds: the service decides, not this. */
const FAR_AHEAD_MS = 365 * 86_400_000
/** How often a call is tried while the service is busy or restarts: for some 4 seconds. */
const TRIES = 5

export function storedIdentity(): Identity | undefined {
  try {
    const identity = JSON.parse(sessionStorage.getItem(STORED) ?? 'null') as Identity | null
    return identity !== null && identity.expires_at > Date.now() ? identity : undefined
  } catch {
    return undefined
  }
}

function identityFrom(answer: Output<'authenticate_agent'>): Identity {
  const { token, agent_id, agent_type, permissions, expires_in } = answer
  return { token, agent_id, agent_type, permissions, expires_at: Date.now() + expires_in * 1000, renewable: true }
}

/** @throws SharedContextError if the service does not take the key, or cannot be reached */
export async function signInWithKey(api_key: string, agent_id: string, permissions: string[]): Promise<Identity> {
  const input = { agent_id, agent_type: 'human', requested_permissions: permissions, api_key }
  return identityFrom(await new SharedContext({ url: addressOf(''), tries: 1 }).authenticateAgent(input))
}

/** For tokens of an issuer that the service trusts. @throws SharedContextError if the service does not take it */
export async function signInWithToken(token: string): Promise<Identity> {
  const { agent_info } = await new SharedContext({ url: addressOf(''), token, tries: 1 }).getUsageGuidance()
  if (agent_info === null) throw new Error('The service does not know whose token this is.')
  return { token, ...agent_info, expires_at: Date.now() + FAR_AHEAD_MS, renewable: false }
}

/** @param code what the link that the service printed at its start holds; it is good once */
export async function signInWithCode(code: string): Promise<Identity> {
  const answer = await fetch(addressOf('app/sign-in'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code })
  })
  const body = (await answer.json()) as Output<'authenticate_agent'> & { error?: string }
  if (!answer.ok) throw new Error(body.error ?? `The service answered with status ${answer.status}.`)
  return identityFrom(body)
}

/** The service, for one who has signed in. */
export class Client {
  readonly service: SharedContext
  private isOver = false

  /** @param onEnd called once the sign-in does not hold any more, with the reason; empty after signOut */
  constructor(
    public identity: Identity,
    private readonly onEnd: (why: string) => void
  ) {
    this.keep(identity)
    this.service = new SharedContext({
      url: addressOf(''),
      token: identity.token,
      refreshToken: identity.renewable,
      tries: TRIES,
      onToken: ({ expiresAt, ...granted }) => {
        this.keep({ ...granted, expires_at: expiresAt, renewable: true })
      }
    })
  }

  can(permission: 'read' | 'write' | 'admin'): boolean {
    return this.identity.permissions.includes(permission)
  }

  /** @throws SharedContextError; a sign-in that has ended is also told to `onEnd` */
  async call<N extends keyof Tools>(name: N, input: Tools[N]['input']): Promise<Tools[N]['output']> {
    try {
      return await this.service.call(name, input)
    } catch (error) {
      this.endIfOver(error)
      throw error
    }
  }

  /** Ends the sign-in here and at the service: first here, so that nothing calls with a token that has ended. */
  async signOut(): Promise<void> {
    this.end('')
    await this.service.revokeToken({}, { tries: 1 }).catch(() => {})
  }

  endIfOver(error: unknown): void {
    if (endsSignIn(error)) this.end(error.message)
  }

  /** Ends it here alone: somebody else has signed in. */
  close(): void {
    this.isOver = true
    this.service.close()
  }

  private end(why: string): void {
    // A call that was under way may fail when the sign-in has ended already, and another one has begun.
    if (this.isOver) return
    this.close()
    sessionStorage.removeItem(STORED)
    this.onEnd(why)
  }

  private keep(identity: Identity): void {
    this.identity = identity
    // A token that comes after the end must not sign in again.
    if (this.isOver) return
    sessionStorage.setItem(STORED, JSON.stringify(identity))
  }
}
