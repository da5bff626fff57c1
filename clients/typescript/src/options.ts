/** Who calls which service, and how patiently. */
export interface ClientOptions {
  /** The address of the service, also with a path of a proxy. Default: `http://127.0.0.1:23456`. */
  url?: string | undefined
  /** An API key. The client exchanges it for a token of `agentId`, and gets a new one before that ends. */
  apiKey?: string | undefined
  /** A ready token, or what gets one: it is called for the first call, and again when a token is refused. */
  token?: string | (() => string | Promise<string>) | undefined
  /** The agent's name. With `apiKey` it is needed, unless the key is for one name and `exchangeKey` is false. */
  agentId?: string | undefined
  /** What kind of agent it is. Default: `custom`. */
  agentType?: string | undefined
  /** What the token may do, of `read`, `write` and `admin`. Default: `read` and `write`. */
  permissions?: string[] | undefined
  /** The only sessions that the token may see. Default: all that the key allows. */
  sessions?: string[] | undefined
  /**
   * False: the client sends the API key with each call instead of exchanging it for a token. A program that makes one
   * call saves another one. Default: true.
   */
  exchangeKey?: boolean | undefined
  /**
   * True: this program alone uses `token`, and the client exchanges it by `refresh_token` before it ends. That revokes
   * the old one at once, for everybody who has it. Default: false.
   */
  refreshToken?: boolean | undefined
  /** Told of each token that the client has got, so that a program can store it. */
  onToken?: ((token: TokenState) => void) | undefined
  /** Milliseconds that one try may take, beyond what the call itself waits for; Infinity: no limit. Default: 30 000. */
  timeoutMs?: number | undefined
  /** How often a call is tried while the service is away or busy, 1 or more. Default: 6, which takes some 8 seconds. */
  tries?: number | undefined
  /** Used instead of the global `fetch`. */
  fetch?: typeof fetch | undefined
}

/** A token and what the service granted with it. */
export interface TokenState {
  token: string
  agent_id: string
  agent_type: string
  permissions: string[]
  /** When it ends, in milliseconds since 1970, by this machine's clock. */
  expiresAt: number
}

/** What one call may have of its own. */
export interface CallOptions {
  /** Ends the call: it then throws the signal's reason. */
  signal?: AbortSignal | undefined
  /** Milliseconds that one try may take, beyond what the call itself waits for; Infinity: no limit. */
  timeoutMs?: number | undefined
  /** How often the call is tried, 1 or more. */
  tries?: number | undefined
}
