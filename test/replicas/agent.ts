import { Agent as Connections, request, type IncomingMessage } from 'node:http'
import { ADMIN_API_KEY, API_KEY, type As } from '../helper.js'
import { MODERN, saidBy } from '../mcp/clients.js'
import { BY_PROXY } from './balancer.js'

/**
 * One agent behind a load balancer, which tries again what may be tried again: over REST, or over MCP of either era.
 */

export type Front = 'rest' | 'mcp-2025' | 'mcp-2026'
export const FRONTS: readonly Front[] = ['rest', 'mcp-2025', 'mcp-2026']

/** What one request came to. */
export interface Outcome {
  /** By performance.now(), when it ended. */
  at: number
  tool: string
  /** `success`, or why not. */
  what: string
}

/** Whether the service, or its database, could not serve then. Over MCP that is a result, with HTTP status 200. */
export function isUnavailable(what: string): boolean {
  return /^\d+ (SERVICE|DATABASE)_UNAVAILABLE$/.test(what)
}

/** What happened to requests, told when the test fails and counted when it does not. */
export class Journal {
  readonly counts = new Map<string, number>()
  readonly faults: string[] = []
  readonly outcomes: Outcome[] = []

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  note(tool: string, what: string): void {
    this.outcomes.push({ at: performance.now(), tool, what })
    if (what !== 'success') this.count(what)
  }

  fault(what: string): void {
    this.count('faults')
    if (this.faults.length < 20) this.faults.push(what)
  }

  toString(): string {
    return [...this.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, count]) => `${what}: ${count}`)
      .join(', ')
  }
}

export interface Identity {
  agent_id: string
  agent_type: string
  admin: boolean
}

/** Longer than any call may take. */
const HUNG_MS = 75_000
/** For an agent that tries for as long as it takes. */
const AGAIN_MS = { from: 20, to: 200 }

export class Agent {
  private mcp_session: string | undefined
  private closed = false
  private readonly connections = new Connections({ keepAlive: true })

  /** @param retries how often one request is tried again when it is refused with 503 or its connection breaks */
  constructor(
    private readonly base: string,
    readonly identity: Identity,
    readonly front: Front,
    private readonly journal: Journal,
    private readonly retries = Infinity
  ) {}

  get as(): As {
    const { agent_id, agent_type, admin } = this.identity
    return { agent_id, agent_type, admin }
  }

  private get headers(): Record<string, string> {
    const { agent_id, agent_type, admin } = this.identity
    return { 'x-api-key': admin ? ADMIN_API_KEY : API_KEY, 'x-agent-id': agent_id, 'x-agent-type': agent_type }
  }

  /**
   * @returns the tool's answer, once there is one. @throws Error for any other refusal, and where trying again did not
   * help
   */
  async call(tool: string, args: Record<string, unknown>): Promise<any> {
    for (let tries = 0; ; tries++) {
      const outcome = await this.once(tool, args).catch((error: unknown) => ({
        broken: (error as NodeJS.ErrnoException).code ?? String(error)
      }))
      const why =
        'broken' in outcome
          ? `broken (${outcome.broken})`
          : outcome.by_proxy
            ? 'refused by the proxy'
            : outcome.body.success === true
              ? 'success'
              : `${outcome.status} ${String(outcome.body.code)}`
      this.journal.note(tool, why)
      if ('body' in outcome && outcome.body.success === true) return outcome.body
      const again =
        'broken' in outcome
          ? outcome.broken !== 'HUNG'
          : outcome.by_proxy ||
            outcome.body.code === 'SERVICE_UNAVAILABLE' ||
            outcome.body.code === 'DATABASE_UNAVAILABLE'
      if (!again || tries >= this.retries || this.closed) {
        const what = `${tool} over ${this.front}: ${why}${'body' in outcome ? ` ${JSON.stringify(outcome.body)}` : ''}`
        this.journal.fault(what)
        throw new Error(what)
      }
      // Whoever counts the tries waits as docs/integration.md says; whoever does not is in a hurry.
      const wait_ms =
        this.retries === Infinity
          ? AGAIN_MS.from + Math.random() * (AGAIN_MS.to - AGAIN_MS.from)
          : 1000 * ('body' in outcome ? Number(outcome.body.retry_after ?? 1) : 1)
      await new Promise(resolve => setTimeout(resolve, wait_ms))
    }
  }

  private async once(tool: string, args: Record<string, unknown>): Promise<Answered> {
    if (this.front === 'rest') return this.post(`/mcp/tool/${tool}`, args)
    const _meta = {
      ...(this.front === 'mcp-2026' && MODERN_META),
      ...(tool === 'wait_for_messages' && { progressToken: 1 })
    }
    const params = { name: tool, arguments: args, _meta }
    if (this.front === 'mcp-2025' && this.mcp_session === undefined) {
      const opened = await this.post('/mcp', {
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'replicas', version: '1' } }
      })
      if (opened.headers['mcp-session-id'] === undefined) return opened
      this.mcp_session = String(opened.headers['mcp-session-id'])
    }
    return this.post(
      '/mcp',
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      this.front === 'mcp-2025'
        ? { 'mcp-session-id': this.mcp_session as string, 'mcp-protocol-version': '2025-11-25' }
        : { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/call', 'mcp-name': tool }
    )
  }

  private async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    const {
      status,
      headers: answered,
      text
    } = await new Promise<{ status: number; headers: IncomingMessage['headers']; text: string }>((resolve, reject) => {
      const sent = request(`${this.base}${path}`, {
        method: 'POST',
        agent: this.connections,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...this.headers,
          ...headers
        }
      })
      const timer = setTimeout(() => {
        sent.destroy(Object.assign(new Error('no answer'), { code: 'HUNG' }))
      }, HUNG_MS)
      sent.on('error', error => {
        clearTimeout(timer)
        reject(error)
      })
      sent.on('response', response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
        })
        response.on('error', reject)
        response.on('close', () => {
          clearTimeout(timer)
          if (response.complete) resolve({ status: response.statusCode as number, headers: response.headers, text })
          else reject(Object.assign(new Error('broken off'), { code: 'BROKEN_OFF' }))
        })
      })
      sent.end(JSON.stringify(body))
    })
    const by_proxy = answered[BY_PROXY] !== undefined
    const said = text === '' ? {} : messageIn(text, String(answered['content-type']))
    // A stream may end, whole, before it has said anything but how the call is getting on.
    if (said === undefined) throw Object.assign(new Error('no answer in it'), { code: 'ENDED_EARLY' })
    const inner =
      path === '/mcp' ? (said.result?.content !== undefined ? saidBy(said.result) : (said.error?.data ?? said)) : said
    return { status, headers: answered, by_proxy, body: inner }
  }

  /** What it has begun fails, and nothing is tried again. */
  close(): void {
    this.closed = true
    this.connections.destroy()
  }
}

interface Answered {
  status: number
  headers: IncomingMessage['headers']
  by_proxy: boolean
  body: any
}

const MODERN_META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'replicas', version: '1' }
}

/** The body, or what of a stream of server-sent events is the answer. */
function messageIn(text: string, type: string): any {
  if (!type.startsWith('text/event-stream')) return JSON.parse(text)
  const messages = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json]) => JSON.parse(json as string))
  return messages.find(message => message.id !== undefined && message.method === undefined)
}
