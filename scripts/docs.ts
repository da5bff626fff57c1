import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TObject, TSchema } from '@sinclair/typebox'
import { type Variable, variables } from '../src/config/config.js'
import { allowed } from '../src/kernel/argument-errors.js'
import { type ErrorCode, errorKinds } from '../src/kernel/errors.js'
import { plain } from '../src/http/openapi.js'
import { AnyValueField, Code, type SchemaExtensions } from '../src/kernel/schema.js'
import { takesIdempotencyKey, type Tool } from '../src/kernel/tool.js'
import { describeService } from '../src/commands/describe.js'
import { Message, Session, SessionSummary } from '../src/kernel/answer-shapes.js'

const { tools } = (await describeService()).kernel

/**
 * Writes what can be derived: the table in docs/configuration.md, docs/tools.md, and the facts in
 * docs/troubleshooting.md.
 * `npm run docs` writes them; test/docs compares them with what is committed.
 */

const ROOT = join(import.meta.dirname, '..')
export const PAGES = ['docs/configuration.md', 'docs/tools.md', 'docs/troubleshooting.md'] as const
type Page = (typeof PAGES)[number]

/** What a page should be, given what it is: words written by hand stay. */
export function render(page: Page, current: string): string {
  if (page === 'docs/configuration.md') return between(current, 'configuration', configurationTable(variables))
  return page === 'docs/tools.md' ? toolsPage(tools) : troubleshooting(current)
}

export function read(page: Page): string {
  return readFileSync(join(ROOT, page), 'utf8')
}

// --- Configuration

function configurationTable(all: Variable[]): string {
  const rows = all.map(({ name, default: fallback, default_note, description }) => [
    `\`${name}\``,
    default_note ?? (fallback === undefined || fallback === '' ? '' : `\`${fallback}\``),
    description
  ])
  return table(['variable', 'default', 'what it is'], rows)
}

// --- Errors

/** Codes that any call can end with, so that no tool needs to list them. */
const errorsOfEveryTool: readonly ErrorCode[] = [
  'INVALID_INPUT',
  'INVALID_JSON',
  'UNSUPPORTED_MEDIA_TYPE',
  'PAYLOAD_TOO_LARGE',
  'RATE_LIMITED',
  'SERVICE_UNAVAILABLE',
  'DATABASE_UNAVAILABLE',
  'INTERNAL_ERROR'
]

/** Codes that belong to no tool. */
const givenElsewhere: Partial<Record<ErrorCode, string>> = {
  TOOL_NOT_FOUND: 'an address where there is nothing',
  METHOD_NOT_ALLOWED: 'the address of a tool, for any method but POST',
  CONFLICT: 'every tool that writes'
}

/** Codes about who is calling, of every tool that needs a permission. */
const errorsOfCredentials: readonly ErrorCode[] = [
  'AUTHENTICATION_REQUIRED',
  'INVALID_TOKEN',
  'TOKEN_EXPIRED',
  'TOKEN_REVOKED',
  'INVALID_API_KEY',
  'PERMISSION_DENIED'
]

/**
 * What handlers refuse beyond their schemas. test/docs/errors.test.ts provokes every one, so this cannot promise too
 * much.
 */
const refusals: Record<string, ErrorCode[]> = {
  authenticate_agent: ['INVALID_API_KEY', 'PERMISSION_DENIED', 'SESSION_NOT_FOUND'],
  refresh_token: ['AUTHENTICATION_REQUIRED', 'INVALID_TOKEN', 'TOKEN_EXPIRED', 'TOKEN_REVOKED'],
  revoke_token: ['AUTHENTICATION_REQUIRED', 'INVALID_TOKEN', 'TOKEN_EXPIRED', 'TOKEN_REVOKED', 'PERMISSION_DENIED'],
  create_token: [
    'AUTHENTICATION_REQUIRED',
    'INVALID_TOKEN',
    'TOKEN_EXPIRED',
    'TOKEN_REVOKED',
    'PERMISSION_DENIED',
    'SESSION_NOT_FOUND'
  ],
  create_session: ['QUOTA_EXCEEDED'],
  get_session: ['SESSION_NOT_FOUND'],
  update_session: ['SESSION_NOT_FOUND', 'SESSION_CLOSED'],
  add_message: ['SESSION_NOT_FOUND', 'SESSION_CLOSED', 'MESSAGE_NOT_FOUND', 'QUOTA_EXCEEDED'],
  add_messages: ['SESSION_NOT_FOUND', 'SESSION_CLOSED', 'MESSAGE_NOT_FOUND', 'QUOTA_EXCEEDED'],
  close_session: ['SESSION_NOT_FOUND'],
  archive_session: ['SESSION_NOT_FOUND'],
  delete_session: ['SESSION_NOT_FOUND'],
  export_session: ['SESSION_NOT_FOUND'],
  import_session: ['QUOTA_EXCEEDED'],
  delete_message: ['MESSAGE_NOT_FOUND'],
  get_messages: ['SESSION_NOT_FOUND'],
  wait_for_messages: ['SESSION_NOT_FOUND'],
  get_inbox: ['SESSION_NOT_FOUND'],
  wait_for_inbox: ['SESSION_NOT_FOUND'],
  ack_messages: ['MESSAGE_NOT_FOUND'],
  get_receipts: ['MESSAGE_NOT_FOUND'],
  ask: ['SESSION_NOT_FOUND', 'SESSION_CLOSED', 'QUOTA_EXCEEDED'],
  wait_for_reply: ['MESSAGE_NOT_FOUND'],
  mark_read: ['SESSION_NOT_FOUND'],
  set_message_visibility: ['MESSAGE_NOT_FOUND'],
  search_context: ['SESSION_NOT_FOUND'],
  search_by_sender: ['SESSION_NOT_FOUND'],
  search_by_timerange: ['SESSION_NOT_FOUND'],
  set_memory: ['SESSION_NOT_FOUND', 'SESSION_CLOSED', 'KEY_EXISTS', 'VERSION_CONFLICT', 'QUOTA_EXCEEDED'],
  get_memory: ['SESSION_NOT_FOUND', 'MEMORY_NOT_FOUND'],
  list_memory: ['SESSION_NOT_FOUND'],
  search_memory: ['SESSION_NOT_FOUND'],
  delete_memory: ['SESSION_NOT_FOUND', 'VERSION_CONFLICT'],
  update_memory: ['SESSION_NOT_FOUND', 'SESSION_CLOSED', 'VERSION_CONFLICT', 'CONTENT_TOO_LARGE', 'QUOTA_EXCEEDED'],
  batch_memory: ['SESSION_NOT_FOUND', 'SESSION_CLOSED', 'KEY_EXISTS', 'VERSION_CONFLICT', 'QUOTA_EXCEEDED'],
  memory_history: ['SESSION_NOT_FOUND', 'MEMORY_NOT_FOUND'],
  set_namespace: ['QUOTA_EXCEEDED'],
  create_task: ['SESSION_NOT_FOUND', 'SESSION_CLOSED', 'TASK_NOT_FOUND', 'CONFLICT', 'QUOTA_EXCEEDED'],
  create_tasks: ['SESSION_NOT_FOUND', 'SESSION_CLOSED', 'TASK_NOT_FOUND', 'CONFLICT', 'QUOTA_EXCEEDED'],
  list_tasks: ['SESSION_NOT_FOUND'],
  get_task: ['TASK_NOT_FOUND'],
  claim_task: ['SESSION_NOT_FOUND', 'TASK_NOT_FOUND'],
  renew_task: ['TASK_NOT_FOUND', 'LEASE_LOST'],
  complete_task: ['TASK_NOT_FOUND', 'LEASE_LOST'],
  fail_task: ['TASK_NOT_FOUND', 'LEASE_LOST'],
  release_task: ['TASK_NOT_FOUND', 'LEASE_LOST', 'CONFLICT'],
  update_task: ['TASK_NOT_FOUND', 'LEASE_LOST', 'CONFLICT'],
  cancel_task: ['TASK_NOT_FOUND', 'CONFLICT'],
  acquire_lease: ['LEASE_HELD'],
  renew_lease: ['LEASE_LOST'],
  create_api_key: ['SESSION_NOT_FOUND'],
  revoke_api_key: ['API_KEY_NOT_FOUND'],
  // It may be called by nobody, but not with credentials that are wrong.
  get_usage_guidance: ['INVALID_API_KEY', 'INVALID_TOKEN', 'TOKEN_EXPIRED', 'TOKEN_REVOKED']
}

/** The codes a tool can end with besides those of every tool and of credentials, in the order of the error table. */
export function errorsOf(tool: Tool): ErrorCode[] {
  const codes = new Set<ErrorCode>([
    ...codesIn(tool.input),
    ...(refusals[tool.name] ?? []),
    ...(takesIdempotencyKey(tool) ? ['IDEMPOTENCY_CONFLICT' as const] : [])
  ])
  return (Object.keys(errorKinds) as ErrorCode[]).filter(code => codes.has(code) && !errorsOfEveryTool.includes(code))
}

/**
 * The codes that the arguments of a schema are marked with; where the code depends on the value, both of a wrong
 * value's.
 */
function codesIn(schema: TObject): ErrorCode[] {
  return Object.values(schema.properties as Record<string, TSchema & SchemaExtensions>).flatMap(property => {
    const code = property[Code]
    const own = typeof code === 'function' ? [code(''), code('x')] : code === undefined ? [] : [code]
    const items = property.items as TSchema | undefined
    return items?.type === 'object' ? [...own, ...codesIn(items as TObject)] : own
  })
}

function toolsGiving(code: ErrorCode): string {
  if (errorsOfEveryTool.includes(code)) return 'every tool'
  if (givenElsewhere[code] !== undefined) return givenElsewhere[code]
  if (errorsOfCredentials.includes(code)) {
    const besides = tools.filter(tool => tool.permission === 'none' && errorsOf(tool).includes(code))
    return ['every tool that needs a permission', ...besides.map(linkToTool)].join(', ')
  }
  return tools
    .filter(tool => errorsOf(tool).includes(code))
    .map(linkToTool)
    .join(', ')
}

/**
 * Under each code's heading a generated block of facts, then advice written by hand. A new code gets a section to fill
 * in.
 */
function troubleshooting(current: string): string {
  return (Object.keys(errorKinds) as ErrorCode[]).reduce((page, code) => {
    const begun = page.includes(marker(code).begin)
      ? page
      : `${page.trimEnd()}\n\n### ${code}\n\n${marker(code).begin}\n${marker(code).end}\n`
    const { status, severity, recoverable, meaning, retry_after, suggestions } = errorKinds[code]
    return between(
      begun,
      code,
      [
        [
          `HTTP ${status}`,
          severity,
          recoverable ? 'recoverable' : 'not recoverable',
          ...(retry_after === undefined ? [] : [`\`retry_after\` ${retry_after} s`]),
          `from ${toolsGiving(code)}`
        ].join(' · '),
        '',
        `${meaning} The answer suggests: ${suggestions.map(suggestion => `“${text(suggestion)}”`).join(' ')}`
      ]
        .map(folded)
        .join('\n')
    )
  }, current)
}

// --- Tools

function toolsPage(all: readonly Tool[]): string {
  return `# Tools

<!-- Generated from the catalogue by \`npm run docs\`; edit the tools in src/ instead. -->

${[
  'Call a tool over REST with `POST /mcp/tool/<name>` and a JSON object, or over MCP at ' +
    '`/mcp` by the same name. Both run the same checks and the same code. The answer is a ' +
    'JSON object with `success: true` and the fields listed here, or `success: false` with ' +
    '`error`, `code`, `suggestions` and more ([troubleshooting.md](troubleshooting.md)). The ' +
    'running server describes itself at `/openapi.json` and `/docs`. What holds for all ' +
    'tools is in [semantics.md](semantics.md).',
  'Over MCP, `tools/list` names some of these tools, in the order below: those of the toolsets that the connection ' +
    "asks for, as far as the caller's permissions allow ([integration.md](integration.md#what-toolslist-shows)). A " +
    'tool that is not listed can still be called; the server checks each call by itself. A failure over MCP is a ' +
    'result with `isError: true` and the error object as text.',
  'What the server accepts as an argument, what it converts and what it refuses is in ' +
    '[semantics.md](semantics.md#limits).',
  `**Every tool** can end with ${codeList(errorsOfEveryTool)}. **Every tool that needs a ` +
    `permission** can also end with ${codeList(errorsOfCredentials)}. Each tool lists the ` +
    'errors that it adds.'
]
  .map(folded)
  .join('\n\n')}

${table(
  ['tool', 'needs', 'for'],
  all.map(tool => [
    `[\`${tool.name}\`](#${tool.name})`,
    tool.permission === 'none' ? 'nothing' : tool.permission,
    tool.title
  ])
)}

${all.map(toolSection).join('\n\n')}

## Shapes

### Message

${fieldTable(Message)}

### Session summary

${fieldTable(SessionSummary)}

### Session

A session summary, and:

${fieldTable(Session, name => !(name in SessionSummary.properties))}
`
}

function toolSection(tool: Tool): string {
  const facts = [
    tool.permission === 'none' ? 'needs no permission' : `needs \`${tool.permission}\``,
    { reads: 'only reads', adds: 'adds', replaces: 'changes what is there' }[tool.effect],
    ...(tool.effect !== 'reads' && tool.repeatable ? ['the same call again changes nothing further'] : []),
    ...(takesIdempotencyKey(tool) ? ['takes `idempotency_key`'] : [])
  ]
  const own = errorsOf(tool)
  const nested = Object.entries(tool.input.properties as Record<string, TSchema>).filter(
    ([, { items }]) => (items as TSchema | undefined)?.type === 'object'
  )
  return [
    `## ${tool.name}`,
    folded(text(tool.description)),
    `*${facts.join(' · ')}*`,
    Object.keys(tool.input.properties).length === 0 ? 'It takes no arguments.' : argumentTable(tool.input),
    ...nested.flatMap(([name, { items }]) => [`Each of \`${name}\`:`, argumentTable(items as TObject)]),
    'Answer:',
    fieldTable(tool.output),
    ...(own.length > 0 ? [folded(`Errors: ${codeList(own)}`)] : [])
  ].join('\n\n')
}

function argumentTable(schema: TObject): string {
  const required = new Set(schema.required ?? [])
  const rows = Object.entries(schema.properties as Record<string, TSchema & SchemaExtensions>).map(
    ([name, property]) => [
      `\`${name}\``,
      (property.type as string | undefined) ?? (name === 'metadata' ? 'object' : 'any'),
      required.has(name) ? 'required' : property.default === undefined ? '' : `\`${JSON.stringify(property.default)}\``,
      // The table has a column for the default.
      sentence([allowed(property), property.description?.replace(/ \(default .*\)$/, '')])
    ]
  )
  return table(['argument', 'type', 'default', 'what it takes'], rows)
}

/** `a string of 1 to 100 characters` and `Your name` → `Your name. A string of 1 to 100 characters.` */
function sentence([what, description]: [string, string | undefined]): string {
  const limits = `${what.charAt(0).toUpperCase()}${what.slice(1)}.`
  return description === undefined ? limits : `${description}. ${limits}`
}

function fieldTable(schema: TObject, only: (name: string) => boolean = () => true): string {
  return table(['field', 'type', 'what it is'], fields(schema, '', only))
}

const shapes: Array<[schema: TSchema, link: string]> = [
  [Message, '[Message](#message)'],
  [Session, '[Session](#session)'],
  [SessionSummary, '[Session summary](#session-summary)']
]

function fields(schema: TObject, prefix: string, only: (name: string) => boolean = () => true): string[][] {
  const required = new Set(schema.required ?? [])
  return Object.entries(schema.properties as Record<string, TSchema>)
    .filter(([name]) => only(name))
    .flatMap(([name, field]) => {
      const path = `${prefix}${name}`
      const row = [
        `\`${path}\``,
        `${kind(field)}${required.has(name) ? '' : ', not always there'}`,
        field.description ?? ''
      ]
      if (shapeOf(field) !== undefined || (field.items !== undefined && shapeOf(field.items as TSchema) !== undefined))
        return [row]
      const inner = objectIn(field)
      return inner === undefined ? [row] : [row, ...fields(inner, `${path}${field.type === 'array' ? '[]' : ''}.`)]
    })
}

function objectIn(field: TSchema): TObject | undefined {
  const candidates = [field, field.items, ...((field.anyOf as TSchema[] | undefined) ?? [])] as Array<
    TSchema | undefined
  >
  return candidates.find(each => each?.type === 'object' && each.properties !== undefined) as TObject | undefined
}

function shapeOf(schema: TSchema): string | undefined {
  const text = JSON.stringify(plain(schema))
  return shapes.find(([shape]) => JSON.stringify(plain(shape)) === text)?.[1]
}

function kind(field: TSchema): string {
  const shape = shapeOf(field)
  if (shape !== undefined) return shape
  if (JSON.stringify(field.anyOf) === JSON.stringify(AnyValueField.anyOf)) return 'any JSON value'
  if (Array.isArray(field.anyOf)) return (field.anyOf as TSchema[]).map(kind).join(' or ')
  if (Array.isArray(field.enum)) return field.enum.map(word => `\`${word}\``).join(', ')
  if (field.const !== undefined) return `\`${JSON.stringify(field.const)}\``
  if (field.type === 'array') return `array of ${kind(field.items as TSchema)}`
  if (field.format === 'date-time') return 'time'
  return (field.type as string | undefined) ?? 'any JSON value'
}

// --- Markdown

function linkToTool(tool: Tool): string {
  return `[\`${tool.name}\`](tools.md#${tool.name})`
}

function codeList(codes: readonly ErrorCode[]): string {
  return codes.map(code => `[${code}](troubleshooting.md#${code.toLowerCase()})`).join(', ')
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) =>
    `| ${cells.map(cell => text(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Words such as Bearer <token> would be taken for HTML, and vanish. */
function text(words: string): string {
  return words.replaceAll('<', '\\<')
}

const LINE_MAX = 118

/**
 * A paragraph in lines that can be read and compared; code stays in one piece, and no line begins with what would be a
 * list or a heading.
 */
function folded(paragraph: string): string {
  const lines: string[] = []
  for (const [word] of paragraph.matchAll(/(?:`[^`]*`|\S)+/g)) {
    const last = lines.at(-1)
    if (last === undefined || (last.length + 1 + word.length > LINE_MAX && !/^(?:[-+*]$|[>|#]|\d+[.)]$)/.test(word)))
      lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines.join('\n')
}

function marker(name: string): { begin: string; end: string } {
  return { begin: `<!-- ${name}: generated by npm run docs -->`, end: `<!-- /${name} -->` }
}

function between(page: string, name: string, content: string): string {
  const { begin, end } = marker(name)
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`A page lacks the lines\n${begin}\n${end}`)
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const page of PAGES) {
    const current = page === 'docs/tools.md' ? '' : read(page)
    writeFileSync(join(ROOT, page), render(page, current))
  }
}
