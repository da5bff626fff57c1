import t from 'tap'
import { plain } from '../../src/http/openapi.js'
import { tools } from '../support/tools.js'
import { ADMIN_API_KEY, startApp } from '../helper.js'
import { type Headers, request } from '../mcp/clients.js'
import { inputFaults, outputFaults, type Schema, schemaFaults, toolFaults } from '../support/schema-lint.js'

/** Every schema that is published, at any depth, held against what clients and model vendors take. */

const app = await startApp(t)
const ADMIN: Headers = { 'x-api-key': ADMIN_API_KEY, 'x-agent-id': 'a' }
interface Listed {
  name: string
  description: string
  inputSchema: Schema
  outputSchema: Schema
}

t.test('of every tool', async t => {
  for (const { name, description, input, output } of tools) {
    t.same(toolFaults({ name, description }), [])
    t.same(inputFaults(plain(input), name), [])
    t.same(outputFaults(plain(output), name), [])
  }
})

for (const era of ['legacy', 'modern'] as const) {
  t.test(`of the list of tools, ${era}`, async t => {
    for (const headers of [{}, ADMIN] as Headers[]) {
      const listed: Listed[] = (await request(app, era, 'tools/list', {}, headers, '/mcp?output_schemas=true')).body
        .result.tools
      t.ok(listed.length > 20)
      for (const { name, description, inputSchema, outputSchema } of listed) {
        t.same(toolFaults({ name, description }), [])
        t.same([...inputFaults(inputSchema, `${name} in`), ...outputFaults(outputSchema, `${name} out`)], [])
      }
    }
  })
}

t.test('of the OpenAPI page', async t => {
  const document = (await app.server.inject({ url: '/openapi.json' })).json()
  // Requests are stricter there than what models are shown, in keywords of their own (OnPage in kernel/schema.ts); what
  // they say besides is judged above.
  const found = schemasIn(document, '').filter(([at]) => !at.includes('/requestBody/'))
  t.ok(found.length > tools.length)
  for (const [at, schema] of found) t.same(schemaFaults(schema, at), [])
})

/**
 * The whole schemas of a document: where it keeps them by name, and behind each `schema` that is not a reference to
 * one.
 */
function schemasIn(node: unknown, at: string): Array<[at: string, schema: Schema]> {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node as Record<string, any>).flatMap(([key, inner]): Array<[string, Schema]> => {
    const here = `${at}/${key}`
    if (at === '/components/schemas') return [[here, inner]]
    if (key === 'schema') return '$ref' in inner ? [] : [[here, inner]]
    return schemasIn(inner, here)
  })
}

t.test('the rules themselves', async t => {
  const text = { type: 'string', description: 'some words' }
  const object = (properties: Record<string, Schema>): Schema => ({ type: 'object', properties })
  const union = (...anyOf: Schema[]): Schema => ({ anyOf, description: 'some words' })
  t.same(inputFaults(object({ a: text, value: union({ type: 'string' }, { type: 'array', items: {} }) }), 'in'), [])
  for (const [schema, fault] of [
    [{ description: 'some words' }, 'in/a has no type'],
    [{ ...text, type: ['string', 'null'] }, 'in/a has a list of types'],
    [{ ...text, const: 'x' }, 'in/a has const'],
    [{ ...text, title: 'A' }, 'in/a has title'],
    [{ type: 'string' }, 'in/a is not described'],
    [{ ...text, type: 'array' }, 'in/a has no items'],
    [{ ...text, type: 'array', items: {} }, 'in/a/items has no type'],
    [{ ...text, type: 'object' }, 'in/a says nothing of its properties'],
    [{ ...text, type: 'object', patternProperties: {}, additionalProperties: true }, 'in/a has patternProperties'],
    [{ ...text, type: 'integer', enum: [1] }, 'in/a has an enum of other things than strings'],
    [{ ...text, enum: [] }, 'in/a has an empty enum'],
    [{ ...text, format: 'uri' }, 'in/a has a format other than date-time'],
    [{ ...text, pattern: '^(?!x)' }, 'in/a has a pattern with look-around'],
    [{ ...text, default: 'x' }, 'in/a does not say its default'],
    [{ ...text, exclusiveMinimum: 0 }, 'in/a has exclusiveMinimum'],
    [{ ...text, properties: {}, required: ['b'] }, 'in/a requires b, which it does not have'],
    [union(text, { type: 'null' }), 'in/a is a union']
  ] as Array<[Schema, string]>)
    t.same(inputFaults(object({ a: schema }), 'in'), [fault], fault)
  t.same(inputFaults(object({ value: union({ type: 'string' }, {}) }), 'in'), ['in/value/anyOf/1 has no type'])
  const anyObject = { type: 'object', additionalProperties: true }
  t.same(inputFaults(object({ metadata: union(anyObject, { type: 'string' }) }), 'in'), [])
  t.same(inputFaults(object({ metadata: { ...text, ...anyObject } }), 'in'), ['in/metadata is not an object or text'])
  t.same(inputFaults(object({ 'a b': text }), 'in'), ['in/a b is no name of an argument'])
  t.same(inputFaults(object({ a: { ...text, default: 'x', description: 'words (default x)' } }), 'in'), [])
  t.same(toolFaults({ name: 'a tool', description: 'x'.repeat(1025) }), [
    'a tool is no name of a tool',
    "a tool: the description's length"
  ])
  t.same(inputFaults({ ...object({}), anyOf: [text, text] }, 'in'), ['in is a union', 'in has a type and a union'])
  const answer = object({
    a: { type: 'array', items: object({ b: {} }) },
    c: { type: 'object', additionalProperties: { description: 'anything' } }
  })
  t.same(outputFaults(answer, 'out'), ['out/a/items/b has no type', 'out/c/additionalProperties has no type'])
})
