import { randomUUID } from 'node:crypto'
import pg from 'pg'

/** Callers who go on while the database is migrated: each notes how long PostgreSQL kept it waiting. */

const PAUSE_MS = 5

export const CALLERS = ['writer', 'reader', 'searcher', 'lister', 'rememberer'] as const
export type Caller = (typeof CALLERS)[number]

/** What each asks again and again: the statements of the last release, as far as locks are concerned. */
const ASKS: Record<Caller, { text: string; values: (random: () => string) => unknown[] }> = {
  writer: {
    text: `with s as (
        update sessions set last_seq = last_seq + 1, last_message_at = clock_timestamp()
        where workspace = 'default' and id = $1 returning id, last_seq
      ), m as (
        insert into messages (workspace, session_id, seq, sender, sender_type, content, visibility)
        select 'default', s.id, s.last_seq + 1000000, 'agent-1', 'bench', 'while it is migrated', 'public' from s
        returning id, session_id
      ), p as (
        insert into search_pending (workspace, session_id, message_id) select 'default', session_id, id from m
      )
      insert into audit_log (workspace, event_type, agent_id, session_id, action, result, request_id)
      select 'default', 'message_added', 'agent-1', session_id, 'add_message', 'success', $2 from m`,
    values: random => [random(), randomUUID()]
  },
  reader: {
    text: `select id, seq, sender, content from messages where workspace = 'default' and session_id = $1
      and visibility = 'public' order by seq desc limit 50`,
    values: random => [random()]
  },
  searcher: {
    text: `select m.id, m.content from message_terms t
      join messages m on m.workspace = t.workspace and m.id = t.message_id
      where t.workspace = 'default' and t.session_id = $1 order by t.message_id desc limit 20`,
    values: random => [random()]
  },
  lister: {
    text: `select id, purpose, last_seq from sessions where workspace = 'default'
      order by created_at desc, id desc limit 20`,
    values: () => []
  },
  rememberer: {
    text: `insert into agent_memory as old (workspace, agent_id, session_id, key, value, value_size)
      values ('default', 'agent-1', '', 'counter', '1', 1)
      on conflict (workspace, agent_id, session_id, key) do update
        set value = excluded.value, version = old.version + 1, updated_at = clock_timestamp()`,
    values: () => []
  }
}

export interface Waited {
  began: number
  ended: number
}

export class Watch {
  private readonly waited = new Map<Caller, Waited[]>()
  private readonly work: Array<Promise<void>> = []
  private over = false
  readonly faults: string[] = []

  constructor(
    private readonly url: string,
    private readonly sessions: number
  ) {
    for (const caller of CALLERS) this.work.push(this.ask(caller))
  }

  private async ask(caller: Caller): Promise<void> {
    const { text, values } = ASKS[caller]
    const waited: Waited[] = []
    this.waited.set(caller, waited)
    const random = () =>
      `session_${Math.floor(Math.random() * this.sessions)
        .toString(16)
        .padStart(16, '0')}`
    const client = new pg.Client({ connectionString: this.url })
    await client.connect()
    await client.query("set scs.workspace = '*'")
    while (!this.over) {
      const began = performance.now()
      // Named, as the service names its statements: a plan that no longer fits must not fail.
      await client.query({ name: caller, text, values: values(random) }).catch((error: unknown) => {
        this.faults.push(`${caller}: ${(error as Error).message}`)
      })
      waited.push({ began, ended: performance.now() })
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
    }
    await client.end()
  }

  /** Milliseconds that a caller waited at most, of what it asked in that time. */
  longest(caller: Caller, from: number, to: number): number {
    const within = (this.waited.get(caller) ?? []).filter(({ began, ended }) => began < to && ended > from)
    return Math.max(0, ...within.map(({ began, ended }) => ended - began))
  }

  async end(): Promise<void> {
    this.over = true
    await Promise.all(this.work)
  }
}
