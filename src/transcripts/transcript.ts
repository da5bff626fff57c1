import { type Static, Type } from '@sinclair/typebox'
import { compileAccept } from '../kernel/accept.js'
import { AppError } from '../kernel/errors.js'
import { parseBounded } from '../kernel/json-scan.js'
import { Whole } from '../kernel/schema.js'
import { parseTime } from '../kernel/time.js'
import type { Visibility } from '../kernel/visibilities.js'
import {
  AgentId,
  AgentType,
  Content,
  DateTime,
  Metadata,
  Purpose,
  SessionId,
  VisibilityWord
} from '../kernel/shapes.js'

/**
 * A session as lines of JSON (NDJSON): first the session, then its messages in the order of their seq, last how many
 * there were, so that a file that was cut off is not taken for a whole one.
 */

const VERSION = 1

const id = Whole({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

const Header = Type.Object({
  version: Whole({ minimum: VERSION, maximum: VERSION }),
  id: SessionId,
  purpose: Purpose(''),
  metadata: Metadata(),
  created_by: AgentId(''),
  created_at: DateTime(''),
  updated_at: DateTime(''),
  is_active: Type.Boolean(),
  archived_at: Type.Optional(DateTime(''))
})

const Line = Type.Object({
  id,
  seq: id,
  sender: AgentId(''),
  sender_type: AgentType(''),
  content: Content,
  visibility: VisibilityWord(''),
  metadata: Metadata(),
  parent_message_id: Type.Optional(id),
  timestamp: DateTime('')
})

const acceptHeader = compileAccept<Static<typeof Header>>(Header)
const acceptLine = compileAccept<Static<typeof Line>>(Line)

export type TranscriptSession = Omit<Static<typeof Header>, 'version' | 'metadata' | 'archived_at'> & {
  metadata: Record<string, unknown>
  archived_at: string | null
}
export type TranscriptMessage = Omit<Static<typeof Line>, 'metadata' | 'parent_message_id' | 'visibility'> & {
  metadata: Record<string, unknown>
  parent_message_id: number | null
  visibility: Visibility
}

export function headerLine({
  id,
  purpose,
  metadata,
  created_by,
  created_at,
  updated_at,
  is_active,
  archived_at
}: TranscriptSession): string {
  return line({
    type: 'session',
    version: VERSION,
    id,
    purpose,
    metadata,
    created_by,
    created_at,
    updated_at,
    is_active,
    archived_at
  })
}

export function messageLine({
  id,
  seq,
  sender,
  sender_type,
  content,
  visibility,
  metadata,
  parent_message_id,
  timestamp
}: TranscriptMessage): string {
  return line({
    type: 'message',
    id,
    seq,
    sender,
    sender_type,
    content,
    visibility,
    metadata,
    parent_message_id,
    timestamp
  })
}

export function endLine(messages: number): string {
  return line({ type: 'end', messages })
}

/** What JSON leaves as it is and some readers of lines take for the end of one. */
const OTHER_BREAKS = /[\u0085\u2028\u2029]/g

function line(fields: Record<string, unknown>): string {
  return `${JSON.stringify(fields).replace(OTHER_BREAKS, found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`
}

type Lines = AsyncIterable<string> | Iterable<string>

export interface Transcript {
  session: TranscriptSession
  /** Read as they are asked for: whatever is wrong with a line is thrown then. */
  messages: AsyncIterable<TranscriptMessage>
}

/** Reads the lines of a file. @throws AppError that names the line; of a text that goes on after the end, too */
export async function readTranscript(lines: Lines): Promise<Transcript> {
  const all = numbered(lines)
  const first = await all.next()
  const { type, fields } = first.done === true ? { type: undefined, fields: {} } : parsed(first.value)
  if (type !== 'session')
    throw malformed(
      1,
      first.done === true ? 'nothing: it is empty' : 'something else',
      'a line of type session, as export_session writes it first'
    )
  const { version, metadata = {}, archived_at, created_at, updated_at, ...session } = accepted(acceptHeader, fields, 1)
  if (archived_at !== undefined && session.is_active)
    throw malformed(1, 'an archived session that is open', 'is_active false where archived_at is given')
  return {
    session: {
      ...session,
      metadata,
      created_at: time(created_at),
      updated_at: time(updated_at),
      archived_at: archived_at === undefined ? null : time(archived_at)
    },
    messages: messagesOf(all)
  }
}

async function* messagesOf(lines: AsyncIterator<Numbered>): AsyncGenerator<TranscriptMessage> {
  const ids = new Set<number>()
  let last = 0
  for (;;) {
    const next = await lines.next()
    if (next.done === true)
      throw malformed(
        last === 0 ? 2 : ids.size + 2,
        'the end of the text',
        'a last line of type end: the file was cut off'
      )
    const { line } = next.value
    const { type, fields } = parsed(next.value)
    if (type === 'end') {
      if (fields.messages !== ids.size)
        throw malformed(line, 'another number of messages', `the number of lines of type message, ${ids.size}`)
      if ((await lines.next()).done !== true)
        throw malformed(line + 1, 'a further line', 'nothing after the line of type end')
      return
    }
    if (type !== 'message') throw malformed(line, 'something else', 'a line of type message or end')
    const { metadata = {}, parent_message_id = null, timestamp, ...message } = accepted(acceptLine, fields, line)
    if (message.seq <= last)
      throw malformed(line, 'a seq that is not beyond the one before', 'messages in the order of their seq')
    if (ids.has(message.id)) throw malformed(line, 'an id for the second time', 'each message once')
    if (parent_message_id === message.id)
      throw malformed(line, 'a message that answers itself', 'another message as parent_message_id')
    ids.add(message.id)
    last = message.seq
    yield { ...message, metadata, parent_message_id, timestamp: time(timestamp) }
  }
}

interface Numbered {
  line: number
  text: string
}

/** Empty lines are passed over: editors leave one at the end. */
async function* numbered(lines: Lines): AsyncGenerator<Numbered> {
  let line = 0
  for await (const text of lines) {
    line++
    if (text.trim() !== '') yield { line, text }
  }
}

function parsed({ line, text }: Numbered): { type: unknown; fields: Record<string, unknown> } {
  try {
    const { type, ...fields } = parseBounded(text, `Line ${line}`) as Record<string, unknown>
    return { type, fields }
  } catch (error) {
    const { given = 'no JSON', allowed = 'one JSON object on each line' } =
      (error instanceof AppError ? error.context : undefined) ?? {}
    throw malformed(line, String(given), String(allowed))
  }
}

function accepted<T>(accept: (raw: unknown) => T, fields: Record<string, unknown>, line: number): T {
  try {
    return accept(fields)
  } catch (error) {
    const { argument, given, allowed } = (error instanceof AppError ? error.context : undefined) ?? {}
    if (typeof argument !== 'string') throw error
    throw malformed(
      line,
      typeof given === 'string' ? given : 'something else',
      typeof allowed === 'string' ? allowed : 'fields as export_session writes them',
      argument
    )
  }
}

function malformed(line: number, given: string, allowed: string, field?: string): AppError {
  return new AppError(
    'INVALID_INPUT',
    `Line ${line} of the session to import is not as it must be${field === undefined ? '' : `: ${field}`}. Nothing was imported.`,
    {
      context: { argument: 'ndjson', line, ...(field !== undefined && { field }), given, allowed },
      suggestions: ['Pass all that export_session returned for one session, page after page, unchanged']
    }
  )
}

function time(text: string): string {
  return parseTime(text) as string
}
