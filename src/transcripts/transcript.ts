import { type Static, Type } from '@sinclair/typebox'
import { compileAccept } from '../kernel/accept.js'
import { AppError } from '../kernel/errors.js'
import { parseBounded } from '../kernel/json-scan.js'
import { Whole } from '../kernel/schema.js'
import { textArguments } from '../kernel/text-arguments.js'
import { printable } from '../kernel/text.js'
import { parseTime } from '../kernel/time.js'
import type { Visibility } from '../kernel/visibilities.js'
import { Metadata } from '../kernel/metadata-shapes.js'
import { Addressees, Content, Payload, VisibilityWord } from '../kernel/message-shapes.js'
import { AgentId, AgentType, DateTime, Purpose, SessionId, SessionKey } from '../kernel/shapes.js'

/**
 * A session as lines of JSON (NDJSON): first the session, then its messages ordered by seq, last the number of
 * messages, which shows that the file is complete.
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
  archived_at: Type.Optional(DateTime('')),
  key: Type.Optional(SessionKey(''))
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
  timestamp: DateTime(''),
  to: Addressees('For whom it is'),
  payload: Payload
})

/** What agents wrote of a session, and of a message. */
export const SESSION_TEXTS = textArguments(Header)
export const MESSAGE_TEXTS = textArguments(Line)

const acceptHeader = compileAccept<Static<typeof Header>>(Header)
const acceptLine = compileAccept<Static<typeof Line>>(Line)

export type TranscriptSession = Omit<Static<typeof Header>, 'version' | 'metadata' | 'archived_at' | 'key'> & {
  metadata: Record<string, unknown>
  archived_at: string | null
  key: string | null
}
export type TranscriptMessage = Omit<Static<typeof Line>, 'metadata' | 'parent_message_id' | 'visibility'> & {
  metadata: Record<string, unknown>
  parent_message_id: number | null
  visibility: Visibility
}

const { version: _, ...ofSession } = Header.properties
const SESSION_FIELDS = Object.keys(ofSession) as Array<keyof TranscriptSession>
const MESSAGE_FIELDS = Object.keys(Line.properties) as Array<keyof TranscriptMessage>

export function headerLine(session: TranscriptSession): string {
  const { key, ...fields } = pick(session, SESSION_FIELDS)
  return toLine({ type: 'session', version: VERSION, ...fields, ...(key !== null && { key }) })
}

export function messageLine(message: TranscriptMessage): string {
  return toLine({ type: 'message', ...pick(message, MESSAGE_FIELDS) })
}

export function endLine(messages: number): string {
  return toLine({ type: 'end', messages })
}

/** Some readers of the file take U+0085 and U+2028 for the end of a line, and the command may print to a terminal. */
function toLine(fields: Record<string, unknown>): string {
  return `${printable(JSON.stringify(fields))}\n`
}

/** The fields in the given order: rows may have more of them. */
function pick<T>(row: T, fields: ReadonlyArray<keyof T>): Partial<T> {
  return Object.fromEntries(fields.map(field => [field, row[field]])) as Partial<T>
}

type Lines = AsyncIterable<string> | Iterable<string>

export interface Transcript {
  session: TranscriptSession
  /** Parsed lazily: iterating throws the error of an invalid line. */
  messages: AsyncIterable<TranscriptMessage>
}

/**
 * Parses the lines of an exported session.
 * @throws AppError INVALID_INPUT that names the invalid line, also if lines follow the end
 */
export async function readTranscript(lines: Lines): Promise<Transcript> {
  const all = numberLines(lines)
  const first = await all.next()
  const { type, fields } = first.done === true ? { type: undefined, fields: {} } : parseLine(first.value)
  if (type !== 'session')
    throw invalidLine(
      1,
      first.done === true ? 'nothing: it is empty' : 'something else',
      'a line of type session, as export_session writes it first'
    )
  const {
    version,
    metadata = {},
    key = null,
    archived_at,
    created_at,
    updated_at,
    ...session
  } = validate(acceptHeader, fields, 1)
  if (archived_at !== undefined && session.is_active)
    throw invalidLine(1, 'an archived session that is open', 'is_active false where archived_at is given')
  return {
    session: {
      ...session,
      metadata,
      key,
      created_at: toTimestamp(created_at),
      updated_at: toTimestamp(updated_at),
      archived_at: archived_at === undefined ? null : toTimestamp(archived_at)
    },
    messages: messagesOf(all)
  }
}

async function* messagesOf(lines: AsyncIterator<NumberedLine>): AsyncGenerator<TranscriptMessage> {
  const ids = new Set<number>()
  let last = 0
  for (;;) {
    const next = await lines.next()
    if (next.done === true)
      throw invalidLine(
        last === 0 ? 2 : ids.size + 2,
        'the end of the text',
        'a last line of type end: the file was cut off'
      )
    const { line } = next.value
    const { type, fields } = parseLine(next.value)
    if (type === 'end') {
      if (fields.messages !== ids.size)
        throw invalidLine(line, 'another number of messages', `the number of lines of type message, ${ids.size}`)
      if ((await lines.next()).done !== true)
        throw invalidLine(line + 1, 'a further line', 'nothing after the line of type end')
      return
    }
    if (type !== 'message') throw invalidLine(line, 'something else', 'a line of type message or end')
    const { metadata = {}, parent_message_id = null, timestamp, ...message } = validate(acceptLine, fields, line)
    if (message.seq <= last)
      throw invalidLine(line, 'a seq that is not greater than the previous one', 'messages in the order of their seq')
    if (message.content === '' && message.payload === undefined)
      throw invalidLine(line, 'an empty string', 'text, or a payload with it', 'content')
    if (message.visibility === 'direct' && message.to === undefined)
      throw invalidLine(line, 'a direct message for nobody', 'to where visibility is direct', 'to')
    if (ids.has(message.id)) throw invalidLine(line, 'an id for the second time', 'each message once')
    if (parent_message_id === message.id)
      throw invalidLine(line, 'a message that answers itself', 'another message as parent_message_id')
    ids.add(message.id)
    last = message.seq
    yield { ...message, metadata, parent_message_id, timestamp: toTimestamp(timestamp) }
  }
}

interface NumberedLine {
  line: number
  text: string
}

/** Skips empty lines: editors leave one at the end. */
async function* numberLines(lines: Lines): AsyncGenerator<NumberedLine> {
  let line = 0
  for await (const text of lines) {
    line++
    if (text.trim() !== '') yield { line, text }
  }
}

function parseLine({ line, text }: NumberedLine): { type: unknown; fields: Record<string, unknown> } {
  try {
    const { type, ...fields } = parseBounded(text, `Line ${line}`) as Record<string, unknown>
    return { type, fields }
  } catch (error) {
    const { given = 'no JSON', allowed = 'one JSON object on each line' } =
      (error instanceof AppError ? error.context : undefined) ?? {}
    throw invalidLine(line, String(given), String(allowed))
  }
}

function validate<T>(accept: (raw: unknown) => T, fields: Record<string, unknown>, line: number): T {
  try {
    return accept(fields)
  } catch (error) {
    const { argument, given, allowed } = (error instanceof AppError ? error.context : undefined) ?? {}
    if (typeof argument !== 'string') throw error
    throw invalidLine(
      line,
      typeof given === 'string' ? given : 'something else',
      typeof allowed === 'string' ? allowed : 'fields as export_session writes them',
      argument
    )
  }
}

function invalidLine(line: number, given: string, allowed: string, field?: string): AppError {
  return new AppError(
    'INVALID_INPUT',
    `Line ${line} of the session to import is invalid${field === undefined ? '' : `: ${field}`}. Nothing was imported.`,
    {
      context: { argument: 'ndjson', line, ...(field !== undefined && { field }), given, allowed },
      suggestions: ['Pass all that export_session returned for one session, page after page, unchanged']
    }
  )
}

function toTimestamp(text: string): string {
  return parseTime(text) as string
}
