import fc from 'fast-check'

/**
 * Bad requests, made from the OpenAPI document: arguments as a tool's schema has them, and then spoiled; and what is
 * wrong around them.
 */
export interface BadRequest {
  front: 'rest' | 'mcp'
  tool: string
  method: string
  path: string
  headers: Record<string, string>
  body: Buffer
}

interface Schema {
  type?: string
  enum?: unknown[]
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  properties?: Record<string, Schema>
  items?: Schema
  required?: string[]
}
interface Document {
  paths: Record<string, { post?: { requestBody: { content: Record<string, { schema: Schema }> } } }>
}

/** JSON that no JSON.stringify makes: put into the text as it is. */
class Raw {
  constructor(readonly text: string) {}
}

const nested = (depth: number, open: string, close: string) => new Raw(`${open.repeat(depth)}1${close.repeat(depth)}`)

/** What comes in the place of a value. */
const weird: unknown[] = [
  null,
  true,
  false,
  [],
  {},
  '',
  ' ',
  '\t\n',
  0,
  -0,
  -1,
  0.5,
  1e21,
  -1e300,
  2 ** 31,
  2 ** 53,
  new Raw('9223372036854775808'),
  new Raw('1e400'),
  new Raw('-0.0e-0'),
  new Raw('1E+2'),
  new Raw('0.1e1'),
  '0',
  '5',
  '-5',
  '0x10',
  '1e3',
  ' 7 ',
  'null',
  'undefined',
  'NaN',
  'true',
  '[]',
  '{}',
  '{"a":1}',
  '{"__proto__":1}',
  '{"a":"\\u0000"}',
  new Raw('"\\ud800"'),
  new Raw('"\\udc00\\ud800"'),
  new Raw('"a\\u0000b"'),
  new Raw('{"__proto__":{"admin":true}}'),
  new Raw('{"constructor":{"prototype":{}}}'),
  new Raw('{"a":1,"a":2}'),
  new Raw('{"":{"":[]}}'),
  { toString: 1, hasOwnProperty: 2, length: 3 },
  { $ne: null },
  { toJSON: 'x' },
  nested(63, '[', ']'),
  nested(64, '[', ']'),
  nested(5000, '[', ']'),
  nested(5000, '{"a":', '}'),
  Array(2000).fill(1),
  Array(300).fill({ content: 'x' }),
  [[null]],
  [{}],
  ['x'],
  [undefined],
  'x'.repeat(256),
  'x'.repeat(1001),
  'x'.repeat(20_000),
  '名'.repeat(300),
  '🚀'.repeat(120),
  'é',
  '\u202Eabc',
  '\uFEFF',
  '\u200B',
  '\u0085',
  '\u001B[31m',
  '%',
  '_',
  '\\',
  "'",
  '"',
  '`',
  '$1',
  "'; drop table messages; --",
  "' or '1'='1",
  "a' & !b | (c <-> d):*",
  '((((',
  '))))',
  '.*',
  '[',
  '(?<=',
  '(a+)+$',
  '../../etc/passwd',
  'session_0000000000000000',
  'SESSION_0123456789abcdef',
  'session_0123456789abcdeg',
  'all',
  'global',
  'public',
  'admin_only',
  'admin',
  '2026-13-45',
  '2026-02-30',
  '0000-00-00',
  '2026-01-01T25:00:00Z',
  '+275760-09-13',
  '9999-12-31T23:59:59.999Z',
  '10000-01-01',
  '-0001-01-01',
  '2026-01-01T00:00:00+99:99',
  'now',
  'infinity',
  'epoch',
  'W10=',
  'WzEsMl0',
  'eyJhIjoxfQ',
  'Bearer None'
]
const anything = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...weird) },
  { weight: 1, arbitrary: fc.anything({ maxDepth: 2 }).filter(isJson) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.double() }
)

function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}

function text(value: unknown): string {
  if (value instanceof Raw) return value.text
  if (Array.isArray(value)) return `[${value.map(item => text(item)).join(',')}]`
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, inner]) => `${JSON.stringify(name)}:${text(inner)}`)
      .join(',')}}`
  return JSON.stringify(value) ?? 'null'
}

/** A value that fits its schema, more or less. */
function fitting(name: string, schema: Schema, known: Record<string, unknown[]>): fc.Arbitrary<unknown> {
  if (known[name] !== undefined) return fc.constantFrom(...known[name])
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.type === 'integer' || schema.type === 'number')
    return fc.constantFrom(
      schema.minimum ?? 0,
      Math.min(schema.maximum ?? 1, (schema.minimum ?? 0) + 2),
      schema.maximum ?? 1
    )
  if (schema.type === 'boolean') return fc.boolean()
  if (schema.type === 'array')
    return schema.items?.type === 'object'
      ? fc.array(object(schema.items, known), { minLength: 1, maxLength: 3 })
      : fc.array(fc.string(), { maxLength: 2 })
  if (schema.type === 'object')
    return fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), { maxKeys: 2 })
  return fc.string({ minLength: Math.max(1, schema.minLength ?? 1), maxLength: 20 })
}

/** Arguments that are left out seldom: calls would wait as long as they do by default. */
const WAITS = ['timeout_seconds', 'wait_seconds']

function object(schema: Schema, known: Record<string, unknown[]>): fc.Arbitrary<Record<string, unknown>> {
  const properties = Object.entries(schema.properties ?? {})
  return fc.record(Object.fromEntries(properties.map(([name, of]) => [name, fitting(name, of, known)])), {
    requiredKeys: [...(schema.required ?? []), ...WAITS.filter(name => name in (schema.properties ?? {}))]
  })
}

/** Takes arguments that fit and spoils some: another value, one too many, one too few, one twice, one further in. */
function spoiled(schema: Schema, known: Record<string, unknown[]>): fc.Arbitrary<string> {
  const names = Object.keys(schema.properties ?? {})
  const name = names.length > 0 ? fc.constantFrom(...names) : fc.constant('x')
  const spoil = fc.record({
    how: fc.constantFrom('replace', 'replace', 'replace', 'replace', 'add', 'drop', 'twice', 'inside'),
    name,
    value: anything,
    stranger: fc.constantFrom(
      '__proto__',
      'constructor',
      'toString',
      '',
      'x'.repeat(300),
      'a\u0000b',
      '名',
      'session-id',
      'workspace',
      'agent_id',
      'permissions',
      'sessionId'
    )
  })
  return fc.tuple(object(schema, known), fc.array(spoil, { minLength: 1, maxLength: 3 })).map(([args, spoils]) => {
    const fields = new Map(Object.entries(args).map(([field, value]) => [field, text(value)]))
    let twice = ''
    for (const { how, name, value, stranger } of spoils) {
      if (how === 'replace') fields.set(name, text(value))
      else if (how === 'add') fields.set(stranger, text(value))
      else if (how === 'drop') fields.delete(name)
      else if (how === 'twice') twice += `${JSON.stringify(name)}:${text(value)},`
      else fields.set(name, text([{ [stranger]: value, ...(args[name] as object) }]))
    }
    const rest = [...fields].map(([field, value]) => `${JSON.stringify(field)}:${value}`).join(',')
    return `{${twice}${rest === '' ? '"x":1' : rest}}`
  })
}

/** Whole bodies that are wrong, or a good one broken. */
const broken = (body: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc.oneof(
    { weight: 12, arbitrary: body.map(one => Buffer.from(one)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(body, fc.double({ min: 0, max: 1, noNaN: true }))
        .map(([one, where]) => Buffer.from(one).subarray(0, Math.floor(where * one.length)))
    },
    {
      weight: 1,
      arbitrary: fc.tuple(body, fc.nat(1000), fc.nat(255)).map(([one, at, byte]) => {
        const bytes = Buffer.from(one)
        bytes[at % bytes.length] = byte
        return bytes
      })
    },
    { weight: 1, arbitrary: anything.map(one => Buffer.from(text(one))) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes)) },
    { weight: 1, arbitrary: body.map(one => Buffer.from(`\uFEFF ${one}\n`)) },
    { weight: 1, arbitrary: body.map(one => Buffer.from(one, 'utf16le')) }
  )

const oddHeaders: Array<[string, string]> = [
  ['content-type', 'text/plain'],
  ['content-type', 'application/json; charset=utf-16'],
  ['content-type', 'application/json;;;'],
  ['content-type', 'multipart/form-data'],
  ['content-type', 'application/json, text/html'],
  ['content-type', ' '],
  ['content-type', 'application/vnd.x+json'],
  ['content-encoding', 'gzip'],
  ['accept', 'text/html'],
  ['accept', ''],
  ['accept', 'x'.repeat(500)],
  ['x-agent-id', ' '],
  ['x-agent-id', 'x'.repeat(101)],
  ['x-agent-id', '\u00e5\u0090\u008d'],
  ['x-agent-id', "' or 1=1"],
  ['x-agent-type', 'x'.repeat(51)],
  ['x-agent-type', '\u00ff\u00fe'],
  ['x-api-key', 'wrong'],
  ['x-api-key', '\u00ff'.repeat(200)],
  ['authorization', 'Bearer None'],
  ['authorization', 'Bearer a.b.c'],
  ['authorization', 'Basic YTpi'],
  ['authorization', ''],
  ['authorization', `Bearer ${'x'.repeat(6000)}`],
  ['idempotency-key', 'x'.repeat(300)],
  ['idempotency-key', '\u00e9'],
  ['x-request-id', 'x'.repeat(3000)],
  ['x-request-id', '${jndi:x}'],
  ['origin', 'null'],
  ['origin', 'https://evil.example'],
  ['host', 'evil.example'],
  ['x-forwarded-for', '1.2.3.4, ::1, nonsense'],
  ['x-forwarded-host', 'localhost'],
  ['mcp-session-id', 'nonsense'],
  ['mcp-session-id', 'x'.repeat(2000)],
  ['mcp-protocol-version', '1999-01-01'],
  ['mcp-protocol-version', '2026-07-28'],
  ['mcp-protocol-version', '2024-11-05'],
  ['mcp-method', 'tools/list'],
  ['mcp-name', '=?base64?x?='],
  ['last-event-id', '99999999999999999999'],
  ['last-event-id', 'a b'],
  ['x-http-method-override', 'DELETE'],
  ['expect', '200-maybe'],
  ['range', 'bytes=0-1'],
  ['if-none-match', '*'],
  ['upgrade', 'h2c'],
  ['te', 'trailers'],
  ['cookie', 'a=b'],
  ['max-forwards', '0'],
  ['__proto__', 'x']
]
const headers = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(...oddHeaders), { maxLength: 2 }) }
)
const method = fc.oneof(
  { weight: 30, arbitrary: fc.constant('POST') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE')
  }
)

/** `known`: values that make arguments of that name good, such as ids that exist. */
export function badRequests(
  document: Document,
  credentials: Array<Record<string, string>>,
  known: Record<string, unknown[]>
): fc.Arbitrary<BadRequest> {
  const tools = Object.entries(document.paths).flatMap(([path, { post }]) =>
    post === undefined
      ? []
      : [
          {
            path,
            name: path.split('/').at(-1) as string,
            schema: post.requestBody.content['application/json']?.schema as Schema
          }
        ]
  )
  const as = fc.constantFrom(...credentials)
  const plain = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  return fc.constantFrom(...tools).chain(({ path, name, schema }) => {
    const args = spoiled(schema, known)
    const suffix = fc.oneof(
      { weight: 20, arbitrary: fc.constant('') },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '/',
          '?x=1',
          '//',
          '/..',
          '%00',
          '/%2e%2e',
          '?__proto__=1',
          '#x',
          ';x',
          '%',
          'é',
          'x'.repeat(300)
        )
      }
    )
    const rest = fc
      .record({
        front: fc.constant('rest' as const),
        tool: fc.constant(name),
        method,
        suffix,
        as,
        odd: headers,
        body: broken(args)
      })
      .map(({ suffix, as, odd, ...request }) => ({
        ...request,
        path: encodeURI(path) + suffix.replace('é', '%C3%A9').replace('#x', ''),
        headers: { ...plain, ...as, ...Object.fromEntries(odd) }
      }))
    const envelope = (era: 'legacy' | 'modern') =>
      fc
        .record({
          args,
          id: fc.constantFrom('1', '2', '3', '4', '5', '"a"', 'null', '1.5', '{}', '[]', '9007199254740993'),
          rpc: fc.oneof(
            { weight: 6, arbitrary: fc.constant('tools/call') },
            {
              weight: 1,
              arbitrary: fc.constantFrom(
                'initialize',
                'ping',
                'tools/list',
                'resources/read',
                'resources/subscribe',
                'prompts/get',
                'completion/complete',
                'server/discover',
                'subscriptions/listen',
                'notifications/cancelled',
                'nonsense',
                '',
                '__proto__'
              )
            }
          ),
          spoil: fc.oneof(
            { weight: 5, arbitrary: fc.constant(undefined) },
            {
              weight: 1,
              arbitrary: fc.tuple(
                fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'name', 'uri', '_meta'),
                anything
              )
            }
          ),
          batch: fc.boolean()
        })
        .map(({ args, id, rpc, spoil, batch }) => {
          const meta =
            era === 'modern'
              ? ',"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",' +
                '"io.modelcontextprotocol/clientCapabilities":{},' +
                '"io.modelcontextprotocol/clientInfo":{"name":"f","version":"1"}}'
              : ''
          const of: Record<string, string> = { name: JSON.stringify(name), uri: '"session://x"' }
          const whole: Record<string, string> = { jsonrpc: '"2.0"', id, method: JSON.stringify(rpc) }
          if (spoil !== undefined) (spoil[0] === 'name' || spoil[0] === 'uri' ? of : whole)[spoil[0]] = text(spoil[1])
          whole.params ??= `{"name":${of.name},"uri":${of.uri},"arguments":${args}${meta}}`
          const message = `{${Object.entries(whole)
            .map(([field, value]) => `"${field}":${value}`)
            .join(',')}}`
          return batch && era === 'legacy' && id === '1.5' ? `[${message},${message}]` : message
        })
    const mcp = fc
      .constantFrom('legacy' as const, 'modern' as const)
      .chain(era =>
        fc.record({
          front: fc.constant('mcp' as const),
          tool: fc.constant(name),
          method,
          as,
          odd: headers,
          body: broken(envelope(era)),
          modern: fc.constant(era === 'modern')
        })
      )
      .map(({ as, odd, modern, ...request }) => ({
        ...request,
        path: '/mcp',
        headers: {
          ...plain,
          ...as,
          ...(modern && { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name }),
          ...Object.fromEntries(odd)
        }
      }))
    return fc.oneof(rest, mcp)
  })
}
