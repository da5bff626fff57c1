import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { TASK_STATES } from '../../src/kernel/task-states.js'
import { PERMISSIONS } from '../../src/kernel/agent.js'
import { plain } from '../../src/http/openapi.js'
import { takesIdempotencyKey } from '../../src/kernel/tool.js'
import { tools } from '../support/tools.js'
import { ROOT } from '../helper.js'

/** Rules that every tool keeps, asked of the catalogue as data. */

interface Schema {
  type?: string
  description?: string
  properties?: Record<string, Schema>
  items?: Schema
  enum?: unknown[]
  pattern?: string
  additionalProperties?: unknown
  [keyword: string]: unknown
}

/** Every schema inside an input, with its place. */
function inside(schema: Schema, at: string): Array<[at: string, schema: Schema]> {
  return [
    [at, schema],
    ...Object.entries(schema.properties ?? {}).flatMap(([name, property]) => inside(property, `${at}/${name}`)),
    ...(schema.items !== undefined ? inside(schema.items, `${at}/items`) : [])
  ]
}

/** What has no limit of its own on purpose. */
const UNBOUNDED: Record<string, string> = {
  'set_memory/value': 'any JSON: its limit is in bytes',
  'import_session/ndjson': 'its limit is that of a request',
  'list_memory/session_id': 'a session or "all"',
  'search_memory/session_id': 'a session or "all"'
}

const TIMES = new Set(['start_time', 'end_time'])

t.test('names', async t => {
  const paths = (await readdir(join(ROOT, 'src'), { recursive: true })).filter(path =>
    /(^|\/)tools\/[^/]+\.ts$/.test(path)
  )
  t.equal(new Set(tools.map(tool => tool.name)).size, tools.length)
  for (const tool of tools) {
    t.match(tool.name, tool.name === 'ask' ? /^ask$/ : /^[a-z]+(_[a-z]+)+$/)
    const file = paths.filter(path => path.endsWith(`/tools/${tool.name.replaceAll('_', '-')}.ts`))
    t.equal(file.length, 1, `${tool.name} is in the file of its name`)
    const name = tool.name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
    const exported = ((await import(`../../src/${file[0]}`)) as Record<string, unknown>)[name]
    t.ok(exported === tool || typeof exported === 'function', `${tool.name} is exported as ${name}`)
  }
})

t.test('words', async t => {
  for (const { name, title, description, input } of tools) {
    t.ok(title.length >= 5 && title.length <= 50, `${name}: a title of a few words`)
    t.ok(
      description.length >= 40 && description.length <= 400 && /[.)]$/.test(description),
      `${name}: ${description.length} characters of description`
    )
    for (const [at, schema] of inside(plain(input), name)) {
      if (at !== name && !at.endsWith('/items'))
        t.ok(
          typeof schema.description === 'string' && schema.description.length >= 5 && schema.description.length <= 250,
          `${at} is described`
        )
    }
    const named = description.match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? []
    const known = new Set([
      ...tools.flatMap(tool => [
        tool.name,
        ...Object.keys(tool.input.properties),
        ...Object.keys(tool.output.properties)
      ]),
      ...TASK_STATES,
      'agent_only',
      'admin_only',
      'auth_token'
    ])
    t.same(
      named.filter(word => !known.has(word)),
      [],
      `${name} names only what exists`
    )
  }
})

/** What is asked of every schema, of outputs too, is in schemas.test.ts. */
t.test('inputs are closed and bounded', async t => {
  for (const { name, input } of tools) {
    for (const [at, schema] of inside(plain(input), name)) {
      if (at in UNBOUNDED) continue
      if (schema.type === 'object')
        t.ok(schema.additionalProperties === false || schema.maxProperties !== undefined, `${at} is closed`)
      if (schema.type === 'string')
        t.ok(
          schema.maxLength !== undefined ||
            schema.enum !== undefined ||
            schema.pattern !== undefined ||
            TIMES.has(at.split('/').at(-1) as string),
          `${at} has a longest`
        )
      if (schema.type === 'array') t.ok(Number.isInteger(schema.maxItems), `${at} has a most`)
      if (schema.type === 'integer' || schema.type === 'number')
        t.ok(Number.isFinite(schema.minimum) && Number.isFinite(schema.maximum), `${at} has a range`)
      if (schema.default !== undefined && schema.enum !== undefined)
        t.ok(schema.enum.includes(schema.default), `${at}: its default is one of it`)
      if (typeof schema.default === 'number')
        t.ok(
          schema.default >= Number(schema.minimum) && schema.default <= Number(schema.maximum),
          `${at}: its default is in range`
        )
    }
    for (const argument of Object.keys(input.properties)) t.match(argument, /^[a-z]+(_[a-z]+)*$/)
    t.same(
      (input.required ?? []).filter(one => 'default' in (input.properties[one] as Schema)),
      [],
      `${name}: what is required has no default`
    )
  }
})

/** What writes only how the caller itself sees things, for those who may read. */
const OF_READERS = new Set(['mark_read'])

/** Who holds a task or a name has a token: by it, a repeated call is known. A claim that got lost ends by itself. */
const OF_LEASES = new Set([
  'claim_task',
  'renew_task',
  'complete_task',
  'fail_task',
  'release_task',
  'update_task',
  'cancel_task',
  'acquire_lease',
  'renew_lease',
  'release_lease'
])

/** They read, and with mark_read note that the caller has: a repeat finds it noted. */
const MARKING = new Set(['get_inbox', 'wait_for_inbox'])

t.test('what a tool does fits together', async t => {
  for (const tool of tools) {
    const { name, permission, effect, commits, secret, repeatable } = tool
    const audit = 'audit' in tool
    t.ok(permission === 'none' || PERMISSIONS.includes(permission))
    t.equal(
      takesIdempotencyKey(tool),
      effect !== 'reads' && !secret && name !== 'revoke_token' && !OF_LEASES.has(name) && !MARKING.has(name),
      `${name}: writes can be repeated safely, but for those whose answer is a secret`
    )
    if (effect === 'reads') t.notOk(permission === 'write', `${name} reads and does not need write`)
    else
      t.ok(
        permission === 'write' ||
          permission === 'admin' ||
          permission === 'none' ||
          OF_READERS.has(name) ||
          MARKING.has(name),
        `${name} writes`
      )
    if (effect !== 'reads') t.not(commits, 'none', `${name} commits`)
    if (commits === 'none') t.notOk(audit, `${name} writes nothing, so it audits nothing`)
    if (commits === 'transaction') t.ok(audit, `${name} is audited by the kernel`)
    if (permission === 'admin') t.equal(commits, 'transaction', `${name}: administrative reads are audited`)
    if (effect === 'adds') t.notOk(repeatable, `${name} adds each time`)
    if ('token' in tool.output.properties) t.ok(secret, `${name} hands out a secret`)
    t.notOk('success' in tool.output.properties, `${name}: the kernel says success`)
  }
})

t.test('words that promise nothing else than the effect', async t => {
  for (const { name, effect } of tools) {
    if (MARKING.has(name)) t.equal(effect, 'adds', name)
    else if (/^(get|list|search|verify|wait_for|export)_|_history$/.test(name)) t.equal(effect, 'reads', name)
    else t.not(effect, 'reads', name)
    if (/^(delete|set|update|revoke|refresh)_/.test(name)) t.equal(effect, 'replaces', name)
  }
})
