import { errorKinds } from '../../src/core/errors.js'
import { differences } from './compare.js'
import { type Agent, type Content, type Draft, type Expected, Workspace } from './model.js'
import { AGENTS, BEGINNING, type CursorRef, type MessageRef, type SessionRef, type Step } from './steps.js'

/** Plays a sequence of steps on the service and on the model, and compares every answer. */

export type Send = (tool: string, args: Record<string, unknown>, who: Credentials) => Promise<{ status: number, body: any }>
export interface Credentials { workspace: number, agent: number }

interface Side {
  workspace: Workspace
  /** Where each agent last stopped reading each session. */
  cursors: Map<string, number>
  /** Where a list of sessions went on, as the server and as the model say it. */
  page?: { cursor: string, after: { created_at: string, id: string } }
}

/**
 * @param enough whether to leave it at what has been played
 * @returns what went wrong with which step, or nothing
 */
export async function play (steps: readonly Step[], send: Send, onStep: () => void = () => {}, enough: () => boolean = () => false): Promise<string | undefined> {
  const sides: Side[] = [0, 1].map(() => ({ workspace: new Workspace(AGENTS), cursors: new Map() }))
  for (const [i, step] of [...BEGINNING, ...steps].entries()) {
    if (enough()) return undefined
    const workspace = Math.floor(step.who / AGENTS.length) % 2
    const agent = step.who % AGENTS.length
    const { args, expected, after } = prepare(step, AGENTS[agent] as Agent, sides[workspace] as Side, sides[1 - workspace] as Side)
    const { status, body } = await send(step.tool, args, { workspace, agent })
    onStep()
    const wrong = compare(expected, status, body)
    if (wrong.length > 0) return `step ${i - BEGINNING.length}, ${step.tool} ${JSON.stringify(args)} by ${AGENTS[agent]?.agent_id} (${AGENTS[agent]?.agent_type}, ${AGENTS[agent]?.permissions.join(' ')}) of workspace ${workspace}:\n  ${wrong.join('\n  ')}`
    if (status === 200) after?.(body)
  }
  return undefined
}

function compare (expected: Expected, status: number, body: any): string[] {
  if ('code' in expected) {
    return body.code === expected.code && body.success === false && status === errorKinds[expected.code].status ? [] : [`expected ${expected.code}, got ${status} ${JSON.stringify(body).slice(0, 400)}`]
  }
  if (status !== 200) return [`expected success, got ${status} ${JSON.stringify(body).slice(0, 400)}`]
  return differences({ success: true, ...expected.answer }, body)
}

interface Prepared { args: Record<string, unknown>, expected: Expected, after?: (body: any) => void }

function prepare (step: Step, who: Agent, own: Side, neighbour: Side): Prepared {
  const { args: given } = step
  const model = own.workspace
  const sessionId = (ref: SessionRef): string => {
    const { sessions } = (ref.of === 'neighbour' ? neighbour : own).workspace
    return (ref.of === 'nobody' ? undefined : sessions[ref.n % Math.max(1, sessions.length)]?.id.value as string | undefined) ?? 'session_00000000deadbeef'
  }
  /** The latest first: those are what others are at as well. */
  const messageId = (ref: MessageRef, within?: string): number => {
    const { sessions } = (ref.of === 'neighbour' ? neighbour : own).workspace
    const all = sessions.filter(session => within === undefined || ref.n % 8 === 7 || session.id.value === within).flatMap(session => session.messages)
      .filter(message => ref.of !== 'mine' || message.sender.agent_id === who.agent_id)
      .map(message => message.id.value as number).sort((a, b) => b - a)
    return (ref.of === 'nobody' ? undefined : all[ref.n % Math.max(1, all.length)]) ?? 999_999_999_999
  }
  const headOf = (id: string) => model.sessions.find(session => session.id.value === id)?.last_seq ?? 0
  const seq = (ref: CursorRef | undefined, id: string) => ref === undefined ? undefined : ref.from === 'last answer' ? own.cursors.get(JSON.stringify([who, id])) ?? 0 : ref.n % (headOf(id) + 2)
  const once = step.once === undefined ? undefined : `key-${step.once}`

  /** `sent` are the arguments; `act` what the model does with them. */
  const write = (sent: Record<string, unknown>, act: () => Record<string, unknown>, before?: () => void): Prepared => ({
    args: { ...sent, idempotency_key: once },
    expected: model.call('write', who, act, once === undefined ? undefined : { key: once, request: [step.tool, sent] }, before)
  })
  const read = (sent: Record<string, unknown>, act: () => Record<string, unknown>, after?: (body: any) => void): Prepared => ({ args: sent, expected: model.call('read', who, act), after })

  switch (step.tool) {
    case 'create_session': {
      const sent = { purpose: given.purpose.join(' ') as string, metadata: given.metadata }
      return write(sent, () => model.createSession(who, sent))
    }
    case 'update_session': {
      const session_id = sessionId(given.session)
      const change = { purpose: given.purpose?.join(' ') as string | undefined, metadata: given.metadata, is_active: given.is_active }
      return write({ session_id, ...change }, () => model.updateSession(who, session_id, change))
    }
    case 'get_session': {
      const session_id = sessionId(given.session)
      return read({ session_id, message_limit: given.message_limit }, () => model.getSession(who, session_id, given.message_limit))
    }
    case 'list_sessions': {
      const { created_by, active, word, limit, further } = given
      const page = further === true ? own.page : undefined
      return read({ created_by, active, query: word, limit, cursor: page?.cursor }, () => model.listSessions(who, { created_by, active, word, limit, after: page?.after }), body => {
        const last = body.sessions.at(-1)
        if (body.next_cursor !== null) own.page = { cursor: body.next_cursor, after: { created_at: last.created_at, id: last.id } }
      })
    }
    case 'add_message': {
      const session_id = sessionId(given.session)
      const [draft, sent] = draftOf(given.draft, session_id)
      return write({ session_id, ...sent }, () => {
        const [message] = model.addMessages(who, session_id, [draft])
        return { message_id: message?.id, seq: message?.seq, timestamp: message?.timestamp, session_id }
      }, () => { model.mayWrite(who, [draft.visibility]) })
    }
    case 'add_messages': {
      const session_id = sessionId(given.session)
      const drafts = given.drafts.map((draft: any) => draftOf(draft, session_id)) as Array<[Draft, Record<string, unknown>]>
      return write({ session_id, messages: drafts.map(([, sent]) => sent) }, () => {
        const written = model.addMessages(who, session_id, drafts.map(([draft]) => draft))
        return { message_ids: written.map(message => message.id), count: written.length }
      }, () => { model.mayWrite(who, drafts.map(([draft]) => draft.visibility)) })
    }
    case 'set_message_visibility': {
      const sent = { message_id: messageId(given.message), visibility: given.visibility }
      return write(sent, () => model.setVisibility(who, sent.message_id, sent.visibility))
    }
    case 'get_messages': {
      const session_id = sessionId(given.session)
      const { limit, offset, order, visibility_filter, sender } = given
      const paging = { limit, offset, order, visibility_filter, sender, after_seq: seq(given.after, session_id), before_seq: seq(given.before, session_id), parent_message_id: given.parent && messageId(given.parent, session_id) }
      return read({ session_id, ...paging }, () => model.getMessages(who, session_id, paging), body => { own.cursors.set(JSON.stringify([who, session_id]), body.last_seq) })
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
      const sent = { session_id: given.session && sessionId(given.session), query, limit, search_scope, sender, fuzzy_threshold }
      return read(sent, () => model.search(who, sent))
    }
    case 'mark_read': {
      const session_id = sessionId(given.session)
      const up_to_seq = given.up_to === 'beyond' ? headOf(session_id) + 1 : seq(given.up_to, session_id)
      const sent = { session_id, up_to_seq }
      return { args: { ...sent, idempotency_key: once }, expected: model.call('read', who, () => model.markRead(who, session_id, up_to_seq), once === undefined ? undefined : { key: once, request: [step.tool, sent] }) }
    }
    case 'set_memory': {
      const { key, value, metadata, overwrite, expires_in } = given
      const sent = { session_id: given.session && sessionId(given.session), key, value, metadata, overwrite, expires_in }
      return write(sent, () => model.setMemory(who, sent))
    }
    case 'get_memory': {
      const sent = { session_id: given.session && sessionId(given.session), key: given.key }
      return read(sent, () => model.getMemory(who, sent.key, sent.session_id))
    }
    case 'list_memory': {
      const sent = { session_id: given.session === undefined ? undefined : given.session === 'all' ? 'all' : sessionId(given.session), prefix: given.prefix, limit: given.limit }
      return read(sent, () => model.listMemory(who, sent))
    }
    case 'delete_memory': {
      const sent = { session_id: given.session && sessionId(given.session), key: given.key }
      return write(sent, () => model.deleteMemory(who, sent.key, sent.session_id))
    }
  }
  throw new Error(`The model does not know ${step.tool}`)

  function draftOf ({ content, visibility, metadata, parent }: any, session_id: string): [Draft, Record<string, unknown>] {
    const text = contentOf(content)
    const parent_message_id = parent === undefined ? undefined : messageId(parent, session_id)
    return [{ content: text, visibility, metadata, parent_message_id }, { content: text.text, visibility, metadata, parent_message_id }]
  }
}

/** Mentions one agent, and has something in it that only looks like the mention of another. */
function contentOf ({ words, mention, decoy }: { words: string[], mention?: string, decoy?: string }): Content {
  const text = [words[0], ...(mention === undefined ? [] : [`@${mention}`]), ...words.slice(1), ...(decoy === undefined ? [] : [`me@${decoy}`])].join(' ')
  return { words, mentions: mention === undefined ? [] : [mention], text }
}
