import { addressOf } from './base.js'
import type { Input, Output, ToolName } from './catalogue.js'
import { CallFailed, endsSignIn, failureOf, unreachable } from './failure.js'

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
/** A refresh comes when so much of a token's life is left. */
const REFRESH_SHARE = 0.2
/** How often a read is tried again while the service is busy or restarts. */
const READ_TRIES = 4
/** Milliseconds before the first repeat; each further one waits twice as long. */
const RETRY_MS = 500
/** The longest that a timer may take: setTimeout counts in 32 bits. */
const TIMER_MAX = 2 ** 31 - 1

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

async function post(path: string, body: unknown, headers: Record<string, string>): Promise<unknown> {
  const answer = await fetch(addressOf(path), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body)
  }).catch(() => {
    throw unreachable()
  })
  if (!answer.ok) throw await failureOf(answer)
  return answer.json()
}

export async function signInWithKey(api_key: string, agent_id: string, permissions: string[]): Promise<Identity> {
  const input = { agent_id, agent_type: 'human', requested_permissions: permissions }
  return identityFrom(
    (await post('mcp/tool/authenticate_agent', input, { 'x-api-key': api_key })) as Output<'authenticate_agent'>
  )
}

/** For tokens of an issuer that the service trusts. @throws CallFailed if the service does not take it */
export async function signInWithToken(token: string): Promise<Identity> {
  const headers = { authorization: `Bearer ${token}` }
  const { agent_info } = (await post('mcp/tool/get_usage_guidance', {}, headers)) as Output<'get_usage_guidance'>
  if (agent_info === null) throw new CallFailed('INVALID_TOKEN', 'The service does not know whose token this is.')
  return { token, ...agent_info, expires_at: endOf(token), renewable: false }
}

/** When a JWT ends, in milliseconds since 1970; far away if it does not say. The service decides, not this. */
function endOf(token: string): number {
  try {
    const text = atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))
    const { exp } = JSON.parse(text) as { exp?: unknown }
    if (typeof exp === 'number') return exp * 1000
  } catch {
    // Not a JWT.
  }
  return Date.now() + TIMER_MAX
}

/** @param code what the link that the service printed at its start holds; it is good once */
export async function signInWithCode(code: string): Promise<Identity> {
  return identityFrom((await post('app/sign-in', { code }, {})) as Output<'authenticate_agent'>)
}

/** The service, for one who has signed in. */
export class Client {
  private timer: ReturnType<typeof setTimeout> | undefined

  /** @param onEnd called once the sign-in does not hold any more, with the reason */
  constructor(
    public identity: Identity,
    private readonly onEnd: (why: string) => void
  ) {
    this.keep(identity)
  }

  can(permission: 'read' | 'write' | 'admin'): boolean {
    return this.identity.permissions.includes(permission)
  }

  headers(): Record<string, string> {
    return { authorization: `Bearer ${this.identity.token}` }
  }

  /** @throws CallFailed; a sign-in that has ended is also told to `onEnd` */
  async call<N extends ToolName>(name: N, input: Input<N>): Promise<Output<N>> {
    try {
      return (await post(`mcp/tool/${name}`, input, this.headers())) as Output<N>
    } catch (error) {
      if (endsSignIn(error)) this.end((error as Error).message)
      throw error
    }
  }

  /** Like `call`, for tools that only read: it tries again while the service is away or busy. */
  async read<N extends ToolName>(name: N, input: Input<N>): Promise<Output<N>> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.call(name, input)
      } catch (error) {
        if (tried >= READ_TRIES || !(error instanceof CallFailed) || !mayPass(error)) throw error
        await new Promise(resolve => setTimeout(resolve, (error.retry_after ?? 0) * 1000 || RETRY_MS * 2 ** tried))
      }
    }
  }

  /** Ends the sign-in here and at the service. */
  async signOut(): Promise<void> {
    await this.call('revoke_token', {}).catch(() => {})
    this.end('')
  }

  end(why: string): void {
    clearTimeout(this.timer)
    sessionStorage.removeItem(STORED)
    this.onEnd(why)
  }

  private keep(identity: Identity): void {
    this.identity = identity
    sessionStorage.setItem(STORED, JSON.stringify(identity))
    clearTimeout(this.timer)
    if (!identity.renewable) return
    const left = identity.expires_at - Date.now()
    this.timer = setTimeout(() => void this.refresh(), Math.min(TIMER_MAX, Math.max(0, left * (1 - REFRESH_SHARE))))
  }

  private async refresh(): Promise<void> {
    try {
      this.keep(identityFrom(await this.call('refresh_token', {})))
    } catch (error) {
      // A token that has ended is told by `call`. Else the service is away: there is time to try again.
      if (!endsSignIn(error)) this.timer = setTimeout(() => void this.refresh(), 5000)
    }
  }
}

/** Whether the same call may succeed soon. */
function mayPass({ code }: CallFailed): boolean {
  return ['UNREACHABLE', 'SERVICE_UNAVAILABLE', 'DATABASE_UNAVAILABLE', 'RATE_LIMITED'].includes(code)
}
