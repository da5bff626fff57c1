import { randomBytes, randomUUID } from 'node:crypto'
import { openStream, type StreamClient } from '../http/stream-client.js'
import { until } from '../support/rest.js'
import { Agent, FRONTS, type Identity, isUnavailable, Journal } from './agent.js'
import { faultsIn, type Ledger, maySee, type Told } from './ledger.js'
import type { Random } from './random.js'

/** Two dozen agents who write, wait, stream and search in a few sessions, and note what they were promised and told. */

const AGENTS = 24
const SESSIONS = 3
const TYPES = ['planner', 'coder', 'reviewer']
/** How each follows what the others write. */
const WAYS = ['wait', 'session stream', 'wait for one', 'workspace stream'] as const
const PAUSE_MS = { from: 20, to: 250 }
/** With so much gone the rest is there within. */
const CATCH_UP_MS = 90_000

interface Member extends Identity {
  agent: Agent
  way: (typeof WAYS)[number]
  session_id: string
  /** Whose messages it waits for, where it waits for one's. */
  sender: string | undefined
  random: Random
  /** What it was told, by session. */
  told: Map<string, Told[]>
  /** Whether it listens: from then on nothing may be missed. */
  listens: boolean
}

interface Promised {
  id: number
  content: string
}

export interface CrowdOptions {
  base: string
  random: Random
  /** How often a request is tried again. */
  retries?: number
  name: string
}

export class Crowd {
  readonly journal = new Journal()
  private readonly members: Member[] = []
  private readonly sessions: string[] = []
  private readonly promised: Promised[] = []
  private writing = true
  /** The last number of each session; empty until everything is said. */
  private lasts = new Map<string, number>()
  private work: Array<Promise<void>> = []

  /** @param t when it ends, however it ends, nobody goes on: or the process of the test would not end */
  constructor(
    t: { teardown: (fn: () => void) => unknown },
    private readonly options: CrowdOptions
  ) {
    t.teardown(() => {
      this.leave()
    })
  }

  /** Everybody begins; when it returns all are listening. */
  async begin(): Promise<void> {
    const { base, random, name, retries = Infinity } = this.options
    const identity = (i: number): Identity => ({
      agent_id: `${name}-${i}`,
      agent_type: TYPES[i % TYPES.length] as string,
      admin: i === 0
    })
    for (let i = 0; i < AGENTS; i++) {
      // Every way is gone over every front, in every session.
      const agent = new Agent(
        base,
        identity(i),
        FRONTS[Math.floor(i / WAYS.length) % FRONTS.length] as never,
        this.journal,
        retries
      )
      if (i < SESSIONS)
        this.sessions.push(
          (await agent.call('create_session', { purpose: `${name} ${i}`, idempotency_key: `${name}-${i}` })).session_id
        )
      this.members.push({
        ...identity(i),
        agent,
        way: WAYS[i % WAYS.length] as never,
        session_id: '',
        sender: undefined,
        random: random.fork(),
        told: new Map(),
        listens: false
      })
    }
    for (const [i, member] of this.members.entries()) {
      member.session_id = this.sessions[(i + Math.floor(i / SESSIONS)) % SESSIONS] as string
      for (const session_id of this.sessions) member.told.set(session_id, [])
    }
    for (const member of this.members) {
      if (member.way === 'wait for one')
        member.sender = member.random.pick(
          this.members.filter(({ session_id }) => session_id === member.session_id)
        ).agent_id
    }
    const settled = (work: Promise<void>) =>
      work.catch((error: unknown) => {
        this.journal.fault(String(error))
      })
    this.work = this.members.map(member =>
      settled(member.way.endsWith('stream') ? this.stream(member) : this.wait(member))
    )
    await until(
      'everybody listens',
      () => this.members.every(({ listens }) => listens) || this.journal.faults.length > 0,
      CATCH_UP_MS
    )
    this.work.push(...this.members.map(member => settled(this.write(member))))
  }

  /**
   * One more who writes messages of so many bytes that no database can compress, and waits only for the answers.
   * @returns what ends it; it says whether a message was refused meanwhile
   */
  flood(bytes: number): { refused: () => boolean; end: () => Promise<void> } {
    const { base, name, retries } = this.options
    const began = this.journal.outcomes.length
    const agent = new Agent(
      base,
      { agent_id: `${name}-flood`, agent_type: 'flood', admin: false },
      'rest',
      this.journal,
      retries
    )
    const session_id = this.sessions[0] as string
    let over = false
    const work = (async () => {
      while (!over && !this.given_up) {
        const content = `flood ${randomBytes(bytes / 2).toString('hex')}`
        const { message_id } = await agent.call('add_message', { session_id, content, idempotency_key: randomUUID() })
        this.promised.push({ id: message_id, content })
      }
    })().catch((error: unknown) => {
      this.journal.fault(String(error))
    })
    return {
      refused: () => this.journal.outcomes.slice(began).some(({ what }) => isUnavailable(what)),
      async end() {
        over = true
        await work
        agent.close()
      }
    }
  }

  get written(): number {
    return this.promised.length
  }

  /** Everybody stops as soon as their last request is answered or given up, whatever is left to say or hear. */
  leave(): void {
    this.writing = false
    this.given_up = true
    for (const { agent } of this.members) agent.close()
  }

  /** The last word is said, everybody waits for it, and all connections are closed. */
  async end(): Promise<void> {
    this.writing = false
    await Promise.all(this.work.slice(this.members.length))
    const lasts = new Map<string, number>()
    for (const session_id of this.sessions) {
      // One of each sender, so that whoever waits for one hears it too.
      for (const member of this.members.filter(one => one.session_id === session_id)) {
        const content = `the last of ${member.agent_id}`
        const { message_id, seq } = await member.agent.call('add_message', {
          session_id,
          content,
          idempotency_key: content
        })
        this.promised.push({ id: message_id, content })
        lasts.set(session_id, seq)
      }
    }
    this.lasts = lasts
    let over = false
    void until('', () => over, CATCH_UP_MS).catch(() => {
      this.journal.fault(
        `not told of everything in time: ${this.members
          .filter(member => !this.done(member))
          .map(({ agent_id, way, agent }) => `${agent_id} (${way}, ${agent.front})`)
          .join(', ')}`
      )
      this.given_up = true
    })
    await Promise.all(this.work)
    over = true
    for (const { agent } of this.members) agent.close()
  }

  private given_up = false

  private done(member: Member): boolean {
    if (this.given_up) return true
    if (this.lasts.size === 0) return false
    const of = member.way === 'workspace stream' ? this.sessions : [member.session_id]
    return of.every(session_id => {
      const last = this.lasts.get(session_id) as number
      return member.sender === undefined
        ? (member.told.get(session_id)?.findLast(({ hidden }) => hidden !== true)?.seq ?? 0) >= last
        : (this.cursors.get(member) ?? 0) >= last
    })
  }

  /** How far those have read who wait. */
  private readonly cursors = new Map<Member, number>()

  private async wait(member: Member): Promise<void> {
    const { agent, session_id, sender, random } = member
    let after_seq = 0
    while (!this.done(member)) {
      member.listens = true
      const answer = await agent.call('wait_for_messages', {
        session_id,
        after_seq,
        timeout_seconds: random.between(0, 5),
        limit: random.pick([1, 3, 50]),
        ...(sender !== undefined && { sender })
      })
      if (answer.last_seq < after_seq)
        this.journal.fault(`the cursor went back from ${after_seq} to ${answer.last_seq}`)
      if (answer.timed_out !== (answer.count === 0))
        this.journal.fault(`${answer.count} messages, timed_out ${answer.timed_out}`)
      after_seq = answer.last_seq
      for (const { id, seq } of answer.messages) member.told.get(session_id)?.push({ id, seq })
      this.cursors.set(member, after_seq)
      this.journal.count(answer.timed_out ? 'waits in vain' : 'waits answered')
    }
  }

  private async stream(member: Member): Promise<void> {
    const { base, retries = Infinity } = this.options
    const path =
      member.way === 'workspace stream' ? '/mcp/events' : `/mcp/sessions/${member.session_id}/events?after_seq=0`
    let id: string | undefined
    let refused = 0
    while (!this.done(member)) {
      let client: StreamClient | undefined
      try {
        client = await openStream(base, path, member.agent.as, id)
      } catch {
        this.journal.count('streams not opened')
      }
      if (client === undefined || client.status !== 200) {
        if (client !== undefined) {
          this.journal.count(`streams refused with ${client.status}`)
          if (client.status !== 503 && client.status !== 502)
            this.journal.fault(`a stream was refused: ${client.status} ${client.text()}`)
          client.close()
        }
        if (++refused > retries)
          this.journal.fault(`a stream was not opened after ${refused} tries: ${client?.status} ${client?.text()}`)
        await new Promise(resolve => setTimeout(resolve, retries === Infinity ? 100 : 1000))
        continue
      }
      refused = 0
      for (let closed = false; !closed && !this.done(member); await new Promise(resolve => setTimeout(resolve, 20))) {
        closed = client.closed()
        this.take(member, client)
        id = client.lastId()
      }
      this.journal.count(client.closed() ? 'streams that ended' : 'streams closed')
      client.close()
    }
  }

  private take(member: Member, client: StreamClient): void {
    for (const { event, data } of client.events.splice(0)) {
      if (event === 'start') member.listens = true
      const told = member.told.get(data.session_id ?? member.session_id)
      if (event === 'message_added') told?.push({ id: data.message.id, seq: data.seq })
      if (event === 'message_hidden') told?.push({ id: data.message_id, seq: data.seq, hidden: true })
      if (event === 'end') {
        this.journal.count(`streams ended with ${data.reason}`)
        if (data.resume !== true) this.journal.fault(`a stream ended with ${data.reason}`)
      }
    }
  }

  private async write(member: Member): Promise<void> {
    const { agent, session_id, random, agent_id } = member
    const own: Array<{ id: number; visibility: string }> = []
    for (let n = 0; this.writing; n++) {
      await new Promise(resolve => setTimeout(resolve, random.between(PAUSE_MS.from, PAUSE_MS.to)))
      const idempotency_key = `${agent_id} ${n}`
      const draft = (part: string) => ({
        content: `${this.options.name} says number${n}${part} by ${agent_id}`,
        visibility: random.pick([
          'public',
          'public',
          'public',
          'private',
          'agent_only',
          ...(member.admin ? ['admin_only'] : [])
        ])
      })
      const doing = random.between(0, 100)
      if (doing < 65) {
        const { content, visibility } = draft('')
        const { message_id } = await agent.call('add_message', { session_id, content, visibility, idempotency_key })
        this.promised.push({ id: message_id, content })
        own.push({ id: message_id, visibility })
      } else if (doing < 75) {
        const messages = ['a', 'b', 'c'].map(draft)
        const { message_ids } = await agent.call('add_messages', { session_id, messages, idempotency_key })
        for (const [i, { content, visibility }] of messages.entries()) {
          this.promised.push({ id: message_ids[i], content })
          own.push({ id: message_ids[i], visibility })
        }
      } else if (doing < 88) {
        // Each at most once: what is public is taken back, what was not is shown to all.
        const message = own.splice(random.between(0, own.length), 1)[0]
        if (message !== undefined)
          await agent.call('set_message_visibility', {
            message_id: message.id,
            visibility: message.visibility === 'public' ? 'private' : 'public',
            idempotency_key
          })
      } else await this.search(member, own.at(-1)?.id)
      this.journal.count("writers' turns")
    }
  }

  /** What was acknowledged is found, on whichever replica; what is not for the searcher is not. */
  private async search(member: Member, last: number | undefined): Promise<void> {
    const { agent, session_id, agent_id } = member
    const { results, partial } = await agent.call('search_context', {
      session_id,
      query: `by ${agent_id}`,
      limit: 20,
      sender: agent_id
    })
    // A search that ran out of time says so, and may have missed the message.
    if (partial) this.journal.count('partial searches')
    else if (last !== undefined && !results.some((result: any) => result.message.id === last))
      this.journal.fault(`${agent_id} did not find ${last}, which it had just written`)
    const { results: others } = await agent.call('search_context', {
      session_id,
      query: `${this.options.name} says`,
      limit: 20
    })
    for (const { message } of others)
      if (!maySee(member, message, message.visibility))
        this.journal.fault(`a search showed ${agent_id} what is ${message.visibility} of ${message.sender}`)
  }

  /** What of all that was promised does not hold. */
  faults(ledger: Ledger): string[] {
    const faults = [...this.journal.faults, ...ledger.gaps()]
    for (const { id, content } of this.promised) {
      const found = ledger.find(content)
      if (found.length !== 1 || found[0]?.id !== id)
        faults.push(
          `'${content}' was acknowledged as ${id} and is there as ${found.map(({ id }) => id).join(', ') || 'nothing'}`
        )
    }
    const twice = ledger.messages.filter(({ content }) => ledger.find(content).length > 1)
    if (twice.length > 0) faults.push(`${twice.length} messages are there more than once`)
    for (const member of this.members) {
      for (const session_id of member.way === 'workspace stream' ? this.sessions : [member.session_id]) {
        const senders = new Map(ledger.messages.map(({ id, sender }) => [id, sender]))
        const due = ledger
          .due(member, session_id)
          .filter(({ id }) => member.sender === undefined || senders.get(id) === member.sender)
        const streams = member.way.endsWith('stream')
        const found = faultsIn(member.told.get(session_id) ?? [], due, { tellsPlaces: streams, tellsHidden: streams })
        faults.push(
          ...found.slice(0, 3).map(fault => `${member.agent_id} (${member.way}, ${member.agent.front}): ${fault}`)
        )
      }
    }
    return faults
  }

  get told(): number {
    return this.members.reduce(
      (sum, { told }) => sum + [...told.values()].reduce((each, { length }) => each + length, 0),
      0
    )
  }
}
