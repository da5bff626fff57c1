import { errorKinds } from '../../src/kernel/errors.js'
import { aTime, differences, Holds, Learned } from './compare.js'
import { type Agent, type Content, type Draft, type Expected, Workspace } from './model.js'
import { AGENTS, BEGINNING, type CursorRef, KEY_NAMES, type MessageRef, type SessionRef, type Step } from './steps.js'

/** Plays a sequence of steps on the service and on the model, and compares every answer. */

export type Send = (
  tool: string,
  args: Record<string, unknown>,
  who: Credentials
) => Promise<{ status: number; body: any }>
/** `key`: comes with it, instead of the agent's token. */
export interface Credentials {
  workspace: number
  agent: number
  key?: { api_key: string; agent_id: string }
}

export interface Playing {
  send: Send
  /** Waits until a key that was revoked is refused wherever calls may go. */
  untilRefused: (key: { api_key: string; key_id: string; agent_id: string }) => Promise<void>
  onStep?: () => void
  /** Whether to leave it at what has been played. */
  enough?: () => boolean
}

interface Key {
  api_key: string
  key_id: string
  agent: Agent
  revoked: boolean
}

/** Which sessions a list has. */
interface SessionList {
  created_by?: string
  active?: boolean
  archived?: boolean
  word?: string
}

interface Side {
  workspace: Workspace
  /** Where each agent last stopped reading each session. */
  cursors: Map<string, number>
  /** Where a list of sessions went on, as the server and as the model say it. */
  page?: { cursor: string; after: { created_at: string; id: string }; list: SessionList }
  keys: Key[]
}

/** @returns what went wrong with which step, or nothing */
export async function play(
  steps: readonly Step[],
  { send, untilRefused, onStep = () => {}, enough = () => false }: Playing
): Promise<string | undefined> {
  const names = [...AGENTS.map(agent => agent.agent_id), ...KEY_NAMES]
  const sides: Side[] = [0, 1].map(() => ({ workspace: new Workspace(names), cursors: new Map(), keys: [] }))
  for (const [i, step] of [...BEGINNING, ...steps].entries()) {
    if (enough()) return undefined
    const workspace = Math.floor(step.who / AGENTS.length) % 2
    const agent = step.who % AGENTS.length
    const [own, neighbour] = [sides[workspace] as Side, sides[1 - workspace] as Side]
    const comer = withKey(step, own) ?? { agent: AGENTS[agent] as Agent }
    const { args, expected, after, revokes } = prepare(step, comer.agent, own, neighbour)
    const { status, body } = await send(step.tool, args, { workspace, agent, key: comer.key })
    onStep()
    const wrong = compare(comer.refused === undefined ? expected : { code: comer.refused }, status, body)
    const { agent_id, agent_type, permissions, sessions } = comer.agent
    if (wrong.length > 0)
      return (
        `step ${i - BEGINNING.length}, ${step.tool} ${JSON.stringify(args)} by ${agent_id} ` +
        `(${agent_type}, ${permissions.join(' ')}` +
        `${comer.key === undefined ? '' : `, by key, ${sessions?.join(' ') ?? 'all sessions'}`}) ` +
        `of workspace ${workspace}:\n  ${wrong.join('\n  ')}`
      )
    if (status !== 200) continue
    after?.(body)
    if (revokes !== undefined) await untilRefused({ ...revokes, agent_id: nameFor(revokes.agent.agent_id, true, 0) })
  }
  return undefined
}

interface Comer {
  agent: Agent
  key?: Credentials['key']
  refused?: 'INVALID_API_KEY' | 'PERMISSION_DENIED'
}

const isFor = (bound: string, name: string) =>
  bound.endsWith('*') ? name.startsWith(bound.slice(0, -1)) : name === bound

/** One of the names that a key is for, or is not for. */
function nameFor(bound: string, fits: boolean, n: number): string {
  const all = KEY_NAMES.filter(name => isFor(bound, name) === fits)
  return all[n % Math.max(1, all.length)] ?? (KEY_NAMES[0] as string)
}

/** Who comes with an API key, if the step says so and there is one. */
function withKey({ key: ref }: Step, { keys }: Side): Comer | undefined {
  const key = ref && keys[ref.slot]
  if (ref === undefined || key === undefined) return undefined
  const agent_id = nameFor(key.agent.agent_id, ref.fits, ref.n)
  const refused = key.revoked
    ? 'INVALID_API_KEY'
    : isFor(key.agent.agent_id, agent_id)
      ? undefined
      : 'PERMISSION_DENIED'
  // Who is refused does nothing in the model either.
  return {
    agent: { ...key.agent, agent_id, ...(refused !== undefined && { permissions: [] }) },
    key: { api_key: key.api_key, agent_id },
    refused
  }
}

function compare(expected: Expected, status: number, body: any): string[] {
  if ('code' in expected) {
    return body.code === expected.code && body.success === false && status === errorKinds[expected.code].status
      ? []
      : [`expected ${expected.code}, got ${status} ${JSON.stringify(body).slice(0, 400)}`]
  }
  if (status !== 200) return [`expected success, got ${status} ${JSON.stringify(body).slice(0, 400)}`]
  return differences({ success: true, ...expected.answer }, body)
}

interface Prepared {
  args: Record<string, unknown>
  expected: Expected
  after?: (body: any) => void
  revokes?: Key
}

function prepare(step: Step, who: Agent, own: Side, neighbour: Side): Prepared {
  const { args: given } = step
  const model = own.workspace
  const sessionId = (ref: SessionRef): string => {
    const { sessions, gone } = (ref.of === 'neighbour' ? neighbour : own).workspace
    return (
      (ref.of === 'nobody'
        ? gone.sessions.at(-1 - ref.n)
        : (sessions[ref.n % Math.max(1, sessions.length)]?.id.value as string | undefined)) ??
      'session_00000000deadbeef'
    )
  }
  /** The latest first: those are what others are at as well. */
  const messageId = (ref: MessageRef, within?: string): number => {
    const { sessions, gone } = (ref.of === 'neighbour' ? neighbour : own).workspace
    const all = sessions
      .filter(session => within === undefined || ref.n % 8 === 7 || session.id.value === within)
      .flatMap(session => session.messages)
      .filter(message => ref.of !== 'mine' || message.sender.agent_id === who.agent_id)
      .map(message => message.id.value as number)
      .sort((a, b) => b - a)
    return (
      (ref.of === 'nobody' ? gone.messages.at(-1 - ref.n) : all[ref.n % Math.max(1, all.length)]) ?? 999_999_999_999
    )
  }
  const headOf = (id: string) => model.sessions.find(session => session.id.value === id)?.last_seq ?? 0
  const seq = (ref: CursorRef | undefined, id: string) =>
    ref === undefined
      ? undefined
      : ref.from === 'last answer'
        ? (own.cursors.get(JSON.stringify([who, id])) ?? 0)
        : ref.n % (headOf(id) + 2)
  const once = step.once === undefined ? undefined : `key-${step.once}`

  /** `sent` are the arguments; `act` what the model does with them. */
  const write = (sent: Record<string, unknown>, act: () => Record<string, unknown>, before?: () => void): Prepared => ({
    args: { ...sent, idempotency_key: once },
    expected: model.call(
      'write',
      who,
      act,
      once === undefined ? undefined : { key: once, request: [step.tool, sent] },
      before
    )
  })
  const read = (
    sent: Record<string, unknown>,
    act: () => Record<string, unknown>,
    after?: (body: any) => void
  ): Prepared => ({ args: sent, expected: model.call('read', who, act), after })

  switch (step.tool) {
    case 'create_session': {
      const sent = { purpose: given.purpose.join(' ') as string, metadata: given.metadata }
      return write(sent, () => model.createSession(who, sent))
    }
    case 'update_session': {
      const session_id = sessionId(given.session)
      const change = {
        purpose: given.purpose?.join(' ') as string | undefined,
        metadata: given.metadata,
        is_active: given.is_active
      }
      return write({ session_id, ...change }, () => model.updateSession(who, session_id, change))
    }
    case 'get_session': {
      const session_id = sessionId(given.session)
      return read({ session_id, message_limit: given.message_limit }, () =>
        model.getSession(who, session_id, given.message_limit)
      )
    }
    case 'list_sessions': {
      const { created_by, active, archived, word, limit, further } = given
      // A cursor goes with the arguments of its list; how many a page has may change.
      const page = further === true ? own.page : undefined
      const list = page?.list ?? { created_by, active, archived, word }
      const { word: query, ...others } = list
      return read(
        { ...others, query, limit, cursor: page?.cursor },
        () => model.listSessions(who, { ...list, limit, after: page?.after }),
        body => {
          const last = body.sessions.at(-1)
          if (body.next_cursor !== null)
            own.page = { cursor: body.next_cursor, after: { created_at: last.created_at, id: last.id }, list }
        }
      )
    }
    case 'close_session':
    case 'archive_session': {
      const session_id = sessionId(given.session)
      return write({ session_id }, () =>
        model.putAway(who, session_id, step.tool === 'close_session' ? 'closed' : 'archived')
      )
    }
    case 'delete_session': {
      const session_id = sessionId(given.session)
      return write({ session_id }, () => model.deleteSession(who, session_id))
    }
    case 'delete_message': {
      const message_id = messageId(given.message)
      return write({ message_id }, () => model.deleteMessage(who, message_id))
    }
    case 'create_api_key': {
      const { slot, agent_id, agent_type, permissions } = given
      const sessions = (given.sessions as SessionRef[] | undefined)?.map(sessionId)
      const granted = (['read', 'write', 'admin'] as const).filter(permission =>
        (permissions ?? ['read', 'write']).includes(permission)
      )
      const only = sessions && [...new Set(sessions)]
      const expected = model.call('admin', who, () => {
        model.needAll(who, sessions ?? [])
        return {
          api_key: new Holds(value => typeof value === 'string' && value.length > 30, 'a key'),
          key_id: new Learned(value => /^key_[0-9a-f]{16}$/.test(value), 'a key_id'),
          workspace: new Holds(value => typeof value === 'string', 'a workspace'),
          agent_id,
          agent_type,
          permissions: granted,
          sessions: only ?? null,
          created_at: aTime(),
          expires_at: null
        }
      })
      return {
        args: { agent_id, agent_type, permissions, sessions },
        expected,
        after: body => {
          own.keys[slot] = {
            api_key: body.api_key,
            key_id: body.key_id,
            agent: { agent_id, agent_type, permissions: granted, sessions: only },
            revoked: false
          }
        }
      }
    }
    case 'revoke_api_key': {
      const key = given.of === 'own' ? own.keys[given.slot] : undefined
      const key_id =
        key?.key_id ??
        (given.of === 'neighbour' ? neighbour.keys[given.slot]?.key_id : undefined) ??
        'key_0123456789abcdef'
      const expected = model.call('admin', who, () =>
        key === undefined ? model.refuse('API_KEY_NOT_FOUND') : { key_id, revoked: !key.revoked }
      )
      return {
        args: { key_id },
        expected,
        after: () => {
          ;(key as Key).revoked = true
        },
        revokes: key?.revoked === false ? key : undefined
      }
    }
    case 'add_message': {
      const session_id = sessionId(given.session)
      const [draft, sent] = draftOf(given.draft, session_id)
      return write(
        { session_id, ...sent },
        () => {
          const [message] = model.addMessages(who, session_id, [draft])
          return {
            message_id: message?.id,
            seq: message?.seq,
            timestamp: message?.timestamp,
            session_id,
            ...toldMentions([draft])
          }
        },
        () => {
          model.mayWrite(who, [draft.visibility], session_id)
        }
      )
    }
    case 'add_messages': {
      const session_id = sessionId(given.session)
      const drafts = given.drafts.map((draft: any) => draftOf(draft, session_id)) as Array<
        [Draft, Record<string, unknown>]
      >
      return write(
        { session_id, messages: drafts.map(([, sent]) => sent) },
        () => {
          const written = model.addMessages(
            who,
            session_id,
            drafts.map(([draft]) => draft)
          )
          const told = toldMentions(drafts.map(([draft]) => draft))
          return { message_ids: written.map(message => message.id), count: written.length, ...told }
        },
        () => {
          model.mayWrite(
            who,
            drafts.map(([draft]) => draft.visibility),
            session_id
          )
        }
      )
    }
    case 'set_message_visibility': {
      const sent = { message_id: messageId(given.message), visibility: given.visibility }
      return write(sent, () => model.setVisibility(who, sent.message_id, sent.visibility))
    }
    case 'get_messages': {
      const session_id = sessionId(given.session)
      const { limit, offset, order, visibility_filter, sender } = given
      const paging = {
        limit,
        offset,
        order,
        visibility_filter,
        sender,
        after_seq: seq(given.after, session_id),
        before_seq: seq(given.before, session_id),
        parent_message_id: given.parent && messageId(given.parent, session_id)
      }
      return read(
        { session_id, ...paging },
        () => model.getMessages(who, session_id, paging),
        body => {
          own.cursors.set(JSON.stringify([who, session_id]), body.last_seq)
        }
      )
    }
    case 'search_by_sender': {
      const sent = { session_id: sessionId(given.session), sender: given.sender, limit: given.limit }
      return read(sent, () => model.bySender(who, sent.session_id, sent.sender, sent.limit))
    }
    case 'wait_for_messages': {
      const session_id = sessionId(given.session)
      const { limit, sender, mentions_only } = given
      const looking = { limit, sender, mentions_only, after_seq: seq(given.after, session_id) }
      return read({ session_id, ...looking, timeout_seconds: 0 }, () => model.look(who, session_id, looking))
    }
    case 'search_context': {
      const { word: query, limit, search_scope, sender, fuzzy_threshold } = given
      const sent = {
        session_id: given.session && sessionId(given.session),
        query,
        limit,
        search_scope,
        sender,
        fuzzy_threshold
      }
      return read(sent, () => model.search(who, sent))
    }
    case 'mark_read': {
      const session_id = sessionId(given.session)
      const up_to_seq = given.up_to === 'beyond' ? headOf(session_id) + 1 : seq(given.up_to, session_id)
      const sent = { session_id, up_to_seq }
      return {
        args: { ...sent, idempotency_key: once },
        expected: model.call(
          'read',
          who,
          () => model.markRead(who, session_id, up_to_seq),
          once === undefined ? undefined : { key: once, request: [step.tool, sent] }
        )
      }
    }
    case 'set_memory': {
      const { key, value, metadata, overwrite, expires_in } = given
      const sent = {
        session_id: given.session && sessionId(given.session),
        key,
        value,
        metadata,
        overwrite,
        expires_in
      }
      return write(sent, () => model.setMemory(who, sent))
    }
    case 'get_memory': {
      const sent = { session_id: given.session && sessionId(given.session), key: given.key }
      return read(sent, () => model.getMemory(who, sent.key, sent.session_id))
    }
    case 'list_memory': {
      const sent = {
        session_id:
          given.session === undefined ? undefined : given.session === 'all' ? 'all' : sessionId(given.session),
        prefix: given.prefix,
        limit: given.limit
      }
      return read(sent, () => model.listMemory(who, sent))
    }
    case 'delete_memory': {
      const sent = { session_id: given.session && sessionId(given.session), key: given.key }
      return write(sent, () => model.deleteMemory(who, sent.key, sent.session_id))
    }
  }
  throw new Error(`The model does not know ${step.tool}`)

  function draftOf(
    { content, visibility, metadata, parent }: any,
    session_id: string
  ): [Draft, Record<string, unknown>] {
    const text = contentOf(content)
    const parent_message_id = parent === undefined ? undefined : messageId(parent, session_id)
    return [
      { content: text, visibility, metadata, parent_message_id },
      { content: text.text, visibility, metadata, parent_message_id }
    ]
  }
}

/**
 * The writer is told of names that the text mentions, and of no others: some are agents by now, some are not. Of a name
 * that nobody has, what follows the @ up to a sign that ends a word.
 */
function toldMentions(drafts: readonly Draft[]): Record<string, Holds> {
  const named = [...new Set(drafts.flatMap(({ content }) => content.mentions))]
  const among = (is: (told: string, name: string) => boolean) =>
    new Holds(
      told => told === undefined || (told.length > 0 && told.every((one: string) => named.some(name => is(one, name)))),
      'names that the text mentions'
    )
  return {
    mentions: among((told, name) => told === name),
    unresolved_mentions: among((told, name) => name.startsWith(told))
  }
}

/** Mentions one agent, and has something in it that only looks like the mention of another. */
function contentOf({ words, mention, decoy }: { words: string[]; mention?: string; decoy?: string }): Content {
  const text = [
    words[0],
    ...(mention === undefined ? [] : [`@${mention}`]),
    ...words.slice(1),
    ...(decoy === undefined ? [] : [`me@${decoy}`])
  ].join(' ')
  return { words, mentions: mention === undefined ? [] : [mention], text }
}
