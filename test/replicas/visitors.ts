import { ADMIN_API_KEY, API_KEY } from '../helper.js'
import { Agent, FRONTS, Journal } from './agent.js'
import type { Random } from './random.js'

/**
 * Agents who use what the crowd does not: memory, lists, sessions that end, the audit log. Each works alone, so that it
 * knows what every answer must hold. They use what the last release has too.
 */

const VISITORS = 6
const PAUSE_MS = { from: 10, to: 120 }

export class Visitors {
  readonly journal = new Journal()
  turns = 0
  private coming = true
  private readonly agents: Agent[] = []
  private readonly work: Array<Promise<void>> = []

  /** @param retries how often a request is tried again */
  constructor(
    t: { teardown: (fn: () => void) => unknown },
    options: { base: string; random: Random; retries: number }
  ) {
    t.teardown(() => {
      this.coming = false
      for (const agent of this.agents) agent.close()
    })
    for (let n = 0; n < VISITORS; n++) {
      const identity = { agent_id: `visitor-${n}`, agent_type: 'visitor', admin: n < FRONTS.length }
      const agent = new Agent(options.base, identity, FRONTS[n % FRONTS.length] as never, this.journal, options.retries)
      this.agents.push(agent)
      this.work.push(
        this.visit(agent, options.random.fork()).catch((error: unknown) => {
          this.journal.fault(String(error))
        })
      )
    }
  }

  async end(): Promise<void> {
    this.coming = false
    await Promise.all(this.work)
    for (const agent of this.agents) agent.close()
  }

  private async visit(agent: Agent, random: Random): Promise<void> {
    for (let n = 1; this.coming; n++) {
      await this.remember(agent, n)
      if (random.chance(0.5)) await this.meet(agent, `visit ${n} of ${agent.identity.agent_id}`)
      else await this.look(agent)
      this.turns++
      await new Promise(resolve => setTimeout(resolve, random.between(PAUSE_MS.from, PAUSE_MS.to)))
    }
  }

  private expect(holds: boolean, what: string): void {
    if (!holds) this.journal.fault(what)
  }

  /** Every second value lives in a key that ends. */
  private async remember(agent: Agent, n: number): Promise<void> {
    const { agent_id } = agent.identity
    const idempotency_key = `${agent_id} remembers ${n}`
    await agent.call('set_memory', { key: 'counter', value: { n }, idempotency_key })
    const { value } = await agent.call('get_memory', { key: 'counter' })
    this.expect(value.n === n, `${agent_id} remembered ${n} and was told ${JSON.stringify(value)}`)
    const { entries } = await agent.call('list_memory', { limit: 5 })
    this.expect(
      entries.some(({ key }: any) => key === 'counter'),
      `the list of ${agent_id} lacks what it remembers`
    )
    const key = `once ${n}`
    await agent.call('set_memory', { key, value: n, expires_in: 60 })
    if (n % 2 === 0) await agent.call('delete_memory', { key, idempotency_key: `${idempotency_key} no more` })
  }

  private async meet(agent: Agent, name: string): Promise<void> {
    const { session_id } = await agent.call('create_session', { purpose: name, idempotency_key: name })
    const said = await agent.call('add_message', { session_id, content: `@all ${name}`, idempotency_key: `${name}!` })
    const holds = ({ messages }: any) => messages.some(({ id }: any) => id === said.message_id)
    for (const [tool, args] of [
      ['get_messages', { limit: 10 }],
      ['search_by_sender', { sender: agent.identity.agent_id }],
      ['search_by_timerange', { start_time: '2020-01-01T00:00:00Z', end_time: '2100-01-01T00:00:00Z' }]
    ] as const)
      this.expect(holds(await agent.call(tool, { session_id, ...args })), `${tool} lacks the message of ${name}`)
    await agent.call('update_session', { session_id, purpose: `${name}, later`, idempotency_key: `${name}?` })
    const { session } = await agent.call('get_session', { session_id })
    this.expect(session.purpose === `${name}, later`, `get_session does not know the purpose of ${name}`)
    await agent.call('mark_read', { session_id, up_to_seq: said.seq })
    await agent.call('delete_session', { session_id, idempotency_key: `${name}.` })
  }

  private async look(agent: Agent): Promise<void> {
    const { agent_id, agent_type, admin } = agent.identity
    const { sessions } = await agent.call('list_sessions', { limit: 20 })
    this.expect(sessions.length > 0, 'there are no sessions')
    await agent.call('search_context', { query: 'crowd says', limit: 5 })
    if (admin) await agent.call('get_audit_log', { limit: 20 })
    const api_key = admin ? ADMIN_API_KEY : API_KEY
    // Over MCP the session has the token's permissions from then on.
    const requested_permissions = ['read', 'write', ...(admin ? ['admin'] : [])]
    await agent.call('authenticate_agent', { agent_id, agent_type, api_key, requested_permissions })
  }
}
