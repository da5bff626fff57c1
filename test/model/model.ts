import { type ErrorCode } from '../../src/kernel/errors.js'
import { aTime, Holds, Learned } from './compare.js'

/**
 * What the service is, in memory: the contract once more, written for clarity alone. One workspace each; nothing leads
 * from one to another.
 */

export type Permission = 'read' | 'write' | 'admin'
/** `sessions`: the only ones it may enter. */
export interface Agent {
  agent_id: string
  agent_type: string
  permissions: Permission[]
  sessions?: string[]
}
export type Visibility = 'public' | 'private' | 'agent_only' | 'admin_only'

/** What a call must be answered with: a failure of this code, or these fields besides success. */
export type Expected = { code: ErrorCode } | { answer: Record<string, unknown> }

interface Message {
  id: Learned
  seq: number
  sender: Agent
  content: Content
  visibility: Visibility
  metadata: Record<string, unknown>
  parent: Learned | null
  timestamp: Learned
}

/** A text by what is in it: words that can be searched, and whom it mentions. */
export interface Content {
  words: string[]
  mentions: string[]
  text: string
}

interface Session {
  id: Learned
  purpose: string
  metadata: Record<string, unknown>
  created_by: string
  created_at: Learned
  updated_at: Learned
  is_active: boolean
  archived_at: Learned | null
  last_seq: number
  messages: Message[]
  changes: Array<{ seq: number; message: Message; from: Visibility; to: Visibility }>
  read: Map<string, number>
}

interface Entry {
  key: string
  session_id: string | null
  value: unknown
  metadata: Record<string, unknown>
  version: Learned
  updated_by: string
  created_at: Learned
  updated_at: Learned
  expires_at: Learned | null
}

export interface Draft {
  content: Content
  visibility?: Visibility
  metadata?: Record<string, unknown>
  parent_message_id?: number
}
export interface Paging {
  limit?: number
  offset?: number
  after_seq?: number
  before_seq?: number
  order?: 'asc' | 'desc'
  visibility_filter?: Visibility
  sender?: string
  parent_message_id?: number
}

class Refused extends Error {
  constructor(readonly code: ErrorCode) {
    super(code)
  }
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
const isAdmin = ({ permissions }: Agent) => permissions.includes('admin')
const mayEnter = ({ sessions }: Agent, id: string) => sessions === undefined || sessions.includes(id)
const clone = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

/** Ids grow in the whole service, so also from one workspace to the next. */
let last_id = 0
function aNewId(): Learned {
  return new Learned(
    value => Number.isSafeInteger(value) && value > 0 && (last_id = Math.max(last_id, value as number)) > 0,
    'an id'
  )
}

export class Workspace {
  sessions: Session[] = []
  /** What was deleted, by its id. */
  readonly gone = { sessions: [] as string[], messages: [] as number[] }
  private readonly memory = new Map<string, Entry>()
  private readonly keys = new Map<string, { request: string; answer: Record<string, unknown> }>()
  private readonly agents: string[]
  /** Writes that succeeded, by the event of their audit row. */
  readonly audited = new Map<string, number>()

  /** @param agents the names of all who may come */
  constructor(agents: string[]) {
    this.agents = agents
  }

  /** One call. `request` names what makes it the same as an earlier one with its idempotency key. */
  call(
    needs: Permission,
    who: Agent,
    act: () => Record<string, unknown>,
    once?: { key: string; request: unknown },
    before: () => void = () => {}
  ): Expected {
    try {
      if (!who.permissions.includes(needs) && !isAdmin(who)) throw new Refused('PERMISSION_DENIED')
      before()
      if (once === undefined) return { answer: act() }
      const place = JSON.stringify([who.agent_id, once.key])
      const request = JSON.stringify([
        who.agent_type,
        who.permissions,
        [...(who.sessions ?? ['all'])].sort(),
        once.request
      ])
      const first = this.keys.get(place)
      if (first !== undefined) {
        if (first.request !== request) throw new Refused('IDEMPOTENCY_CONFLICT')
        return { answer: first.answer }
      }
      const answer = act()
      this.keys.set(place, { request, answer })
      return { answer }
    } catch (error) {
      if (error instanceof Refused) return { code: error.code }
      throw error
    }
  }

  refuse(code: ErrorCode): never {
    throw new Refused(code)
  }

  private wrote(event: string): void {
    this.audited.set(event, (this.audited.get(event) ?? 0) + 1)
  }

  private need(who: Agent, id: string): Session {
    const found = this.reach(who).find(session => session.id.value === id)
    if (found === undefined) throw new Refused('SESSION_NOT_FOUND')
    return found
  }

  /** All sessions that somebody may enter. */
  private reach(who: Agent): Session[] {
    return this.sessions.filter(session => mayEnter(who, session.id.value as string))
  }

  private needOwn(who: Agent, id: string): Session {
    const session = this.need(who, id)
    if (session.created_by !== who.agent_id && !isAdmin(who)) throw new Refused('PERMISSION_DENIED')
    return session
  }

  /** Answers kept for repeats that show a session, or a message, go with it. */
  private forgetAnswers(session: Session, message?: Message): void {
    for (const [place, { answer }] of this.keys) {
      const {
        session: shown,
        message: told,
        session_id
      } = answer as { session?: { id: Learned }; message?: { id: Learned; session_id: Learned }; session_id?: Learned }
      const isOfSession = 'session' in answer || 'message' in answer || 'purpose' in answer
      if (
        message !== undefined
          ? told?.id === message.id
          : isOfSession && [shown?.id, told?.session_id, session_id].includes(session.id)
      )
        this.keys.delete(place)
    }
  }

  private sees(viewer: Agent, message: Message, as: Visibility = message.visibility): boolean {
    if (isAdmin(viewer)) return true
    if (as === 'private') return message.sender.agent_id === viewer.agent_id
    if (as === 'agent_only') return message.sender.agent_type === viewer.agent_type
    return as === 'public'
  }

  private visible(viewer: Agent, session: Session): Message[] {
    return session.messages.filter(message => this.sees(viewer, message))
  }

  private findMessage(viewer: Agent, id: number): { session: Session; message: Message } {
    for (const session of this.reach(viewer)) {
      const message = this.visible(viewer, session).find(message => message.id.value === id)
      if (message !== undefined) return { session, message }
    }
    throw new Refused('MESSAGE_NOT_FOUND')
  }

  private shown(session: Session, message: Message): Record<string, unknown> {
    return {
      id: message.id,
      session_id: session.id,
      seq: message.seq,
      sender: message.sender.agent_id,
      sender_type: message.sender.agent_type,
      content: message.content.text,
      visibility: message.visibility,
      metadata: message.metadata,
      parent_message_id: message.parent,
      timestamp: message.timestamp
    }
  }

  // Sessions

  createSession(
    who: Agent,
    { purpose, metadata = {} }: { purpose: string; metadata?: Record<string, unknown> }
  ): Record<string, unknown> {
    if (who.sessions !== undefined) throw new Refused('PERMISSION_DENIED')
    const session: Session = {
      id: new Learned(value => /^session_[0-9a-f]{16}$/.test(value as string), 'a session_id'),
      purpose,
      metadata,
      created_by: who.agent_id,
      created_at: aTime(),
      updated_at: aTime(),
      is_active: true,
      archived_at: null,
      last_seq: 0,
      messages: [],
      changes: [],
      read: new Map()
    }
    this.sessions.push(session)
    this.wrote('session_created')
    return {
      session_id: session.id,
      purpose,
      created_by: who.agent_id,
      created_at: session.created_at,
      metadata,
      key: null,
      created: true,
      is_active: true
    }
  }

  private reading(viewer: Agent, session: Session): Record<string, unknown> {
    const from = session.read.get(viewer.agent_id) ?? 0
    const later = this.visible(viewer, session).filter(
      message =>
        message.sender.agent_id !== viewer.agent_id &&
        (message.seq > from || this.shownSince(viewer, session, message, from))
    )
    return {
      last_read_seq: from,
      unread: {
        messages: later.length,
        mentions: later.filter(message => message.content.mentions.includes(viewer.agent_id)).length
      }
    }
  }

  /**
   * Whether a change after a seq has shown the viewer what it could not see before: who has read nothing has nothing to
   * be shown again.
   */
  private shownSince(viewer: Agent, session: Session, message: Message, from: number): boolean {
    return from > 0 && this.revealedAt(viewer, session, message, from) !== undefined
  }

  private revealedAt(viewer: Agent, session: Session, message: Message, after: number): number | undefined {
    return session.changes.findLast(
      change =>
        change.message === message &&
        change.seq > after &&
        !this.sees(viewer, message, change.from) &&
        this.sees(viewer, message, change.to)
    )?.seq
  }

  private summary(viewer: Agent, session: Session): Record<string, unknown> {
    const visible = this.visible(viewer, session)
    return {
      id: session.id,
      key: null,
      purpose: session.purpose,
      metadata: session.metadata,
      created_by: session.created_by,
      created_at: session.created_at,
      updated_at: session.updated_at,
      is_active: session.is_active,
      archived_at: session.archived_at,
      message_count: visible.length,
      last_activity: visible.at(-1)?.timestamp ?? session.created_at,
      ...this.reading(viewer, session)
    }
  }

  private view(viewer: Agent, session: Session): Record<string, unknown> {
    const known = new Set(this.agents)
    return {
      ...this.summary(viewer, session),
      participants: [...new Set(this.visible(viewer, session).map(message => message.sender.agent_id))].sort(byBytes),
      // Who has called of late is noted in the background, at times.
      present: new Holds(
        value =>
          Array.isArray(value) &&
          value[0]?.agent_id === viewer.agent_id &&
          value.every((one: { agent_id: string }) => known.has(one.agent_id)),
        'agents of this workspace, the caller first'
      )
    }
  }

  getSession(viewer: Agent, id: string, message_limit = 50): Record<string, unknown> {
    const session = this.need(viewer, id)
    const visible = this.visible(viewer, session)
    const newest = message_limit === 0 ? [] : visible.slice(-message_limit).reverse()
    return {
      session: this.view(viewer, session),
      messages: newest.map(message => this.shown(session, message)),
      message_count: visible.length
    }
  }

  listSessions(
    viewer: Agent,
    {
      created_by,
      active,
      archived = false,
      word,
      limit = 50,
      after
    }: {
      created_by?: string
      active?: boolean
      archived?: boolean
      word?: string
      limit?: number
      after?: { created_at: string; id: string }
    }
  ): Record<string, unknown> {
    const order = (a: { created_at: string; id: string }, b: { created_at: string; id: string }) =>
      byBytes(b.created_at, a.created_at) || byBytes(b.id, a.id)
    const place = (session: Session) => ({
      created_at: session.created_at.value as string,
      id: session.id.value as string
    })
    const found = this.reach(viewer)
      .filter(
        session =>
          (session.archived_at !== null) === archived &&
          (created_by === undefined || session.created_by === created_by) &&
          (active === undefined || session.is_active === active)
      )
      .filter(session => word === undefined || session.purpose.split(' ').includes(word))
      .filter(session => after === undefined || order(place(session), after) > 0)
      .sort((a, b) => order(place(a), place(b)))
    const kept = found.slice(0, limit)
    return {
      sessions: kept.map(session => this.summary(viewer, session)),
      count: kept.length,
      ...whetherMore(found, limit)
    }
  }

  updateSession(
    who: Agent,
    id: string,
    { purpose, metadata, is_active }: { purpose?: string; metadata?: Record<string, unknown>; is_active?: boolean }
  ): Record<string, unknown> {
    if (purpose === undefined && metadata === undefined && is_active === undefined) throw new Refused('INVALID_INPUT')
    const session = this.needOwn(who, id)
    if (!session.is_active && is_active !== true && (purpose !== undefined || metadata !== undefined))
      throw new Refused('SESSION_CLOSED')
    Object.assign(session, {
      ...(purpose !== undefined && { purpose }),
      ...(metadata !== undefined && { metadata }),
      ...(is_active !== undefined && { is_active }),
      ...(is_active === true && { archived_at: null }),
      updated_at: aTime()
    })
    session.last_seq++
    this.wrote(is_active === undefined ? 'session_updated' : is_active ? 'session_opened' : 'session_closed')
    // The answer is of this moment: a repeat gets it as it was.
    return { session: { ...this.view(who, session) } }
  }

  /** Closed or archived already: nothing changes. */
  putAway(who: Agent, id: string, how: 'closed' | 'archived'): Record<string, unknown> {
    const session = this.needOwn(who, id)
    if (how === 'closed' ? session.is_active : session.archived_at === null) {
      Object.assign(session, {
        is_active: false,
        updated_at: aTime(),
        ...(how === 'archived' && { archived_at: aTime() })
      })
      session.last_seq++
    }
    this.wrote(`session_${how}`)
    return { session: { ...this.view(who, session) } }
  }

  deleteSession(who: Agent, id: string): Record<string, unknown> {
    const session = this.needOwn(who, id)
    this.sessions = this.sessions.filter(other => other !== session)
    this.gone.sessions.push(id)
    this.gone.messages.push(...session.messages.map(message => message.id.value as number))
    for (const [place, entry] of this.memory) if (entry.session_id === id) this.memory.delete(place)
    this.forgetAnswers(session)
    this.wrote('session_deleted')
    return { deleted: true, session_id: session.id }
  }

  /** For which sessions a key may be. */
  needAll(who: Agent, ids: string[]): void {
    for (const id of ids) this.need(who, id)
  }

  // Messages

  /** What is refused before a repeat is looked for. */
  mayWrite(who: Agent, visibilities: Array<Visibility | undefined>, session_id?: string): void {
    if (visibilities.includes('admin_only') && !isAdmin(who)) throw new Refused('PERMISSION_DENIED')
    if (session_id !== undefined && !mayEnter(who, session_id)) throw new Refused('SESSION_NOT_FOUND')
  }

  addMessages(who: Agent, id: string, drafts: Draft[]): Message[] {
    const session = this.need(who, id)
    if (!session.is_active) throw new Refused('SESSION_CLOSED')
    const parents = drafts.map(({ parent_message_id }) => {
      if (parent_message_id === undefined) return null
      const parent = this.visible(who, session).find(message => message.id.value === parent_message_id)
      if (parent === undefined) throw new Refused('MESSAGE_NOT_FOUND')
      return parent.id
    })
    return drafts.map(({ content, visibility = 'public', metadata = {} }, i) => {
      const message: Message = {
        id: aNewId(),
        seq: ++session.last_seq,
        sender: who,
        content,
        visibility,
        metadata,
        parent: parents[i] as Learned | null,
        timestamp: aTime()
      }
      session.messages.push(message)
      this.wrote('message_added')
      return message
    })
  }

  setVisibility(who: Agent, id: number, visibility: Visibility): Record<string, unknown> {
    const { session, message } = this.findMessage(who, id)
    if (message.sender.agent_id !== who.agent_id && !isAdmin(who)) throw new Refused('PERMISSION_DENIED')
    this.mayWrite(who, [visibility])
    if (message.visibility !== visibility) {
      session.changes.push({ seq: ++session.last_seq, message, from: message.visibility, to: visibility })
      message.visibility = visibility
    }
    this.wrote('message_visibility_changed')
    return { message: this.shown(session, message) }
  }

  deleteMessage(who: Agent, id: number): Record<string, unknown> {
    const { session, message } = this.findMessage(who, id)
    if (message.sender.agent_id !== who.agent_id && !isAdmin(who)) throw new Refused('PERMISSION_DENIED')
    session.messages = session.messages.filter(other => other !== message)
    this.gone.messages.push(id)
    this.forgetAnswers(session, message)
    this.wrote('message_deleted')
    return { deleted: true, message_id: message.id, session_id: session.id, seq: ++session.last_seq }
  }

  /** The messages a reading takes in, each where it stands for this viewer. */
  private positioned(
    viewer: Agent,
    session: Session,
    { after_seq, before_seq = Infinity, visibility_filter, sender, parent_message_id }: Paging
  ): Array<{ position: number; message: Message }> {
    return this.visible(viewer, session)
      .filter(
        message =>
          message.seq < before_seq && (visibility_filter === undefined || message.visibility === visibility_filter)
      )
      .filter(
        message =>
          (sender === undefined || message.sender.agent_id === sender) &&
          (parent_message_id === undefined || message.parent?.value === parent_message_id)
      )
      .map(message => ({
        message,
        position:
          after_seq === undefined ? message.seq : (this.revealedAt(viewer, session, message, after_seq) ?? message.seq)
      }))
      .filter(({ position }) => (after_seq === undefined || position > after_seq) && position < before_seq)
      .sort((a, b) => a.position - b.position)
  }

  getMessages(viewer: Agent, id: string, paging: Paging): Record<string, unknown> {
    const session = this.need(viewer, id)
    const {
      limit = 50,
      offset = 0,
      after_seq,
      before_seq,
      order,
      visibility_filter,
      sender,
      parent_message_id
    } = paging
    const found = this.positioned(viewer, session, paging)
    const fromEnd = order === 'desc' || (order === undefined && after_seq === undefined)
    const inOrder = fromEnd ? [...found].reverse() : found
    const page = inOrder.slice(offset, offset + limit)
    const has_more = inOrder.length > offset + limit
    const total = this.positioned(viewer, session, { visibility_filter, sender, parent_message_id }).length
    const messages = order === undefined && fromEnd ? [...page].reverse() : page
    return {
      messages: messages.map(({ message }) => this.shown(session, message)),
      count: page.length,
      total_count: total,
      has_more,
      last_seq: this.cursor(session, {
        page: page.map(({ position }) => position),
        has_more,
        offset,
        after_seq,
        before_seq,
        fromEnd
      })
    }
  }

  /**
   * How far an answer leaves nothing out: to the head (or what was asked for) if no newer one was cut off, else to the
   * newest in it.
   */
  private cursor(
    session: Session,
    {
      page,
      has_more,
      offset,
      after_seq,
      before_seq,
      fromEnd
    }: { page: number[]; has_more: boolean; offset: number; after_seq?: number; before_seq?: number; fromEnd: boolean }
  ): number {
    const from = after_seq ?? 0
    if (fromEnd && has_more && after_seq !== undefined) return from
    if (has_more || (fromEnd && offset > 0)) return Math.max(from, ...page)
    return before_seq === undefined ? session.last_seq : Math.max(from, Math.min(session.last_seq, before_seq - 1))
  }

  bySender(viewer: Agent, id: string, sender: string, limit = 20): Record<string, unknown> {
    const session = this.need(viewer, id)
    const found = this.visible(viewer, session)
      .filter(message => message.sender.agent_id === sender)
      .reverse()
    const page = found.slice(0, limit)
    return {
      messages: page.map(message => this.shown(session, message)),
      sender,
      count: page.length,
      ...whetherMore(found, limit)
    }
  }

  /** What is there already: nobody waits here. */
  look(
    viewer: Agent,
    id: string,
    {
      after_seq,
      limit = 50,
      sender,
      mentions_only = false
    }: { after_seq?: number; limit?: number; sender?: string; mentions_only?: boolean }
  ): Record<string, unknown> {
    const session = this.need(viewer, id)
    const from = Math.min(after_seq ?? session.last_seq, session.last_seq)
    const found = this.positioned(viewer, session, { after_seq: from, sender }).filter(
      ({ message }) => !mentions_only || message.content.mentions.includes(viewer.agent_id)
    )
    const page = found.slice(0, limit)
    const has_more = found.length > limit
    return {
      messages: page.map(({ message }) => this.shown(session, message)),
      count: page.length,
      last_seq: has_more ? page.at(-1)?.position : session.last_seq,
      timed_out: page.length === 0 && session.is_active,
      has_more,
      is_active: session.is_active
    }
  }

  search(
    viewer: Agent,
    {
      session_id,
      query,
      limit = 10,
      search_scope = 'all',
      sender,
      fuzzy_threshold = 60
    }: {
      session_id?: string
      query: string
      limit?: number
      search_scope?: 'all' | 'public' | 'private'
      sender?: string
      fuzzy_threshold?: number
    }
  ): Record<string, unknown> {
    const within =
      session_id === undefined
        ? this.reach(viewer).filter(session => session.archived_at === null)
        : [this.need(viewer, session_id)]
    const found = within
      .flatMap(session => this.visible(viewer, session).map(message => ({ session, message })))
      .filter(
        ({ message }) =>
          message.content.words.includes(query) &&
          (sender === undefined || message.sender.agent_id === sender) &&
          (search_scope === 'all' || message.visibility === search_scope)
      )
      .sort((a, b) => (b.message.id.value as number) - (a.message.id.value as number))
      .slice(0, limit)
    return {
      results: found.map(({ session, message }) => ({
        message: this.shown(session, message),
        score: 100,
        relevance: 'high',
        match_preview: new Holds(
          value => typeof value === 'string' && value.includes(query) && [...value].length <= 150,
          `a preview with '${query}'`
        )
      })),
      query,
      threshold: fuzzy_threshold,
      search_scope,
      message_count: found.length,
      partial: new Holds(value => typeof value === 'boolean', 'a boolean'),
      search_time_ms: new Holds(value => value >= 0, 'a duration')
    }
  }

  markRead(viewer: Agent, id: string, up_to_seq?: number): Record<string, unknown> {
    const session = this.need(viewer, id)
    if (up_to_seq !== undefined && up_to_seq > session.last_seq) throw new Refused('INVALID_INPUT')
    session.read.set(viewer.agent_id, Math.max(session.read.get(viewer.agent_id) ?? 0, up_to_seq ?? session.last_seq))
    this.wrote('session_read')
    return { session_id: session.id, ...this.reading(viewer, session) }
  }

  // Memory

  private place(who: Agent, session_id: string | undefined, key: string): string {
    return JSON.stringify([who.agent_id, session_id ?? null, key])
  }

  setMemory(
    who: Agent,
    {
      key,
      value,
      session_id,
      expires_in = 0,
      metadata = {},
      overwrite = true
    }: {
      key: string
      value: unknown
      session_id?: string
      expires_in?: number
      metadata?: Record<string, unknown>
      overwrite?: boolean
    }
  ): Record<string, unknown> {
    if (session_id !== undefined && !this.need(who, session_id).is_active) throw new Refused('SESSION_CLOSED')
    const place = this.place(who, session_id, key)
    const old = this.memory.get(place)
    if (old !== undefined && !overwrite) throw new Refused('KEY_EXISTS')
    const entry: Entry = {
      key,
      session_id: session_id ?? null,
      value: clone(value),
      metadata,
      version: new Learned(
        value => Number.isSafeInteger(value) && (value as number) > (old?.version.value ?? 0),
        'a larger version'
      ),
      updated_by: who.agent_id,
      created_at: old?.created_at ?? aTime(),
      updated_at: aTime(),
      expires_at: expires_in === 0 ? null : aTime()
    }
    this.memory.set(place, entry)
    this.wrote('memory_set')
    const { updated_at: stored_at, expires_at, version } = entry
    return {
      key,
      scope: session_id === undefined ? 'global' : 'session',
      namespace: null,
      session_scoped: session_id !== undefined,
      stored_at,
      expires_at,
      version
    }
  }

  getMemory(who: Agent, key: string, session_id?: string): Record<string, unknown> {
    if (session_id !== undefined) this.need(who, session_id)
    const entry = this.memory.get(this.place(who, session_id, key))
    if (entry === undefined) throw new Refused('MEMORY_NOT_FOUND')
    const { session_id: _, ...rest } = entry
    return { ...rest, scope: session_id === undefined ? 'global' : 'session', namespace: null }
  }

  listMemory(
    who: Agent,
    { session_id, prefix = '', limit = 50 }: { session_id?: string; prefix?: string; limit?: number }
  ): Record<string, unknown> {
    if (session_id !== undefined && session_id !== 'all') this.need(who, session_id)
    const found = [...this.memory]
      .filter(
        ([place, entry]) =>
          JSON.parse(place)[0] === who.agent_id &&
          (session_id === 'all'
            ? entry.session_id === null || mayEnter(who, entry.session_id)
            : entry.session_id === (session_id ?? null)) &&
          entry.key.startsWith(prefix)
      )
      .map(([, entry]) => entry)
      .sort(
        (a, b) =>
          byBytes(b.updated_at.value, a.updated_at.value) ||
          byBytes(a.session_id ?? '', b.session_id ?? '') ||
          byBytes(a.key, b.key)
      )
    const page = found.slice(0, limit)
    return {
      entries: page.map(({ value, metadata, ...entry }) => ({
        ...entry,
        scope: entry.session_id === null ? 'global' : 'session',
        namespace: null,
        value_size: Buffer.byteLength(JSON.stringify(value))
      })),
      count: page.length,
      ...whetherMore(found, limit),
      scope_filter: session_id ?? 'global'
    }
  }

  deleteMemory(who: Agent, key: string, session_id?: string): Record<string, unknown> {
    if (session_id !== undefined) this.need(who, session_id)
    this.wrote('memory_deleted')
    const deleted = this.memory.delete(this.place(who, session_id, key))
    return { deleted, count: Number(deleted) }
  }
}

function whetherMore(found: readonly unknown[], limit: number): Record<string, unknown> {
  const has_more = found.length > limit
  return { has_more, next_cursor: has_more ? new Holds(value => typeof value === 'string', 'a cursor') : null }
}
