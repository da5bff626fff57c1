import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { errorKinds } from '../../src/kernel/errors.js'
import { inputSchema } from '../../src/http/openapi.js'
import { textArguments } from '../../src/kernel/text-arguments.js'
import { tools } from '../support/tools.js'
import { startApp } from '../helper.js'
import { suggestionFaults } from '../support/failure.js'

/** The published description: an OpenAPI 3.1 document of every tool. */

const app = await startApp(t)
const response = await app.server.inject({ url: '/openapi.json' })
const document = response.json()

const STREAMS = ['/mcp/sessions/{session_id}/events', '/mcp/events']

const TYPES = new Set(['string', 'integer', 'number', 'boolean', 'array', 'object', 'null'])
const ajv = new Ajv2020({ strict: false, validateFormats: false })
/** Keywords of JSON Schema 2020-12 that a document of ours may use; OpenAPI 3.0's `nullable` is not among them. */
const KEYWORDS = new Set([
  'allOf',
  'oneOf',
  'not',
  'if',
  'then',
  'type',
  'description',
  'properties',
  'required',
  'items',
  'enum',
  'default',
  'format',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
  'additionalProperties',
  'anyOf',
  'oneOf',
  'propertyNames',
  '$ref'
])

function schemaFaults(schema: any, at: string): string[] {
  if (typeof schema === 'boolean') return []
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return [`${at} is no schema`]
  return [
    ...Object.keys(schema)
      .filter(keyword => !KEYWORDS.has(keyword))
      .map(keyword => `${at} has ${keyword}`),
    ...(schema.type !== undefined && !TYPES.has(schema.type) ? [`${at} has the type ${schema.type}`] : []),
    // A branch that says nothing but what is required is about the properties beside it.
    ...(schema.properties === undefined ? [] : (schema.required ?? []))
      .filter((name: string) => !(name in (schema.properties ?? {})))
      .map((name: string) => `${at} requires ${name}, which it does not have`),
    ...(schema.enum !== undefined && (!Array.isArray(schema.enum) || schema.enum.length === 0)
      ? [`${at} has a bad enum`]
      : []),
    ...(schema.pattern !== undefined && !compiles(schema.pattern) ? [`${at} has a bad pattern`] : []),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => schemaFaults(inner, `${at}/${name}`)),
    ...(schema.items !== undefined ? schemaFaults(schema.items, `${at}/items`) : []),
    ...(schema.additionalProperties !== undefined
      ? schemaFaults(schema.additionalProperties, `${at}/additionalProperties`)
      : []),
    ...(schema.anyOf ?? []).flatMap((inner: unknown, i: number) => schemaFaults(inner, `${at}/anyOf/${i}`)),
    // Rules between the properties beside them require what they do not describe.
    ...[...(schema.allOf ?? []), ...(schema.oneOf ?? []), schema.not, schema.if, schema.then]
      .filter(inner => inner !== undefined)
      .flatMap(inner => schemaFaults({ ...inner, required: undefined }, `${at}/rule`)),
    ...(schema.$ref !== undefined && resolve(schema.$ref) === undefined ? [`${at} refers to nothing`] : [])
  ]
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') !== undefined
  } catch {
    return false
  }
}

function resolve(ref: string): unknown {
  return ref
    .replace(/^#\//, '')
    .split('/')
    .reduce((at: any, step) => at?.[step], document)
}

t.test('the document has the shape of OpenAPI 3.1', async t => {
  t.match(response.headers['content-type'], /^application\/json/)
  t.match(document, {
    openapi: /^3\.1\.\d+$/,
    info: { title: /./, version: /^\d+\.\d+\.\d+/ },
    components: { schemas: { Error: {} } }
  })
  t.same(
    Object.keys(document).filter(
      key =>
        ![
          'openapi',
          'info',
          'servers',
          'paths',
          'webhooks',
          'components',
          'security',
          'tags',
          'externalDocs',
          'jsonSchemaDialect'
        ].includes(key)
    ),
    []
  )
  t.same(
    Object.keys(document.paths),
    [...tools.map(tool => `/mcp/tool/${tool.name}`), ...STREAMS],
    'every tool, in their order, the streams, and nothing else'
  )
  t.same(schemaFaults(document.components.schemas.Error, 'Error'), [])
  for (const requirement of [
    document.security,
    ...Object.values(document.paths).map((path: any) => (path.post ?? path.get).security ?? [])
  ].flat()) {
    for (const scheme of Object.keys(requirement))
      t.match(document.components.securitySchemes[scheme], { type: /^(http|apiKey)$/ })
  }
})

t.test('every operation is complete', async t => {
  for (const tool of tools) {
    const operation = document.paths[`/mcp/tool/${tool.name}`].post
    t.match(operation, { operationId: tool.name, summary: tool.title, description: tool.description })
    t.same(operation.requestBody.content['application/json'].schema, inputSchema(tool))
    t.equal(operation.requestBody.required, !ajv.validate(inputSchema(tool), {}), 'whether an empty object is refused')
    t.same(Object.keys(operation.responses), ['200', 'default'])
    t.same(operation.responses.default.content['application/json'].schema, { $ref: '#/components/schemas/Error' })
    t.same(schemaFaults(operation.requestBody.content['application/json'].schema, `${tool.name} in`), [])
    const answer = operation.responses['200'].content['application/json'].schema
    t.same(schemaFaults(answer, `${tool.name} out`), [])
    const own = ['success', ...Object.keys(tool.output.properties)]
    const warns = tool.effect !== 'reads' && textArguments(tool.input).length > 0
    t.same(Object.keys(answer.properties), warns && !own.includes('warnings') ? [...own, 'warnings'] : own)
    t.ok(answer.required.includes('success'))
  }
})

t.test('the event streams are described as they are', async t => {
  for (const url of STREAMS) {
    const { parameters, responses, operationId } = document.paths[url].get
    t.ok(app.server.hasRoute({ method: 'GET', url: url.replace(/\{(\w+)\}/g, ':$1') }), operationId)
    t.same(schemaFaults(responses['200'].content['text/event-stream'].schema, operationId), [])
    t.same(responses.default.content['application/json'].schema, { $ref: '#/components/schemas/Error' })
    for (const parameter of parameters) {
      t.match(parameter, { in: /^(path|query|header)$/, name: /./, description: /./ })
      t.same(schemaFaults(parameter.schema, parameter.name), [])
    }
    t.same(
      parameters.filter((parameter: any) => parameter.in === 'path').map((parameter: any) => `{${parameter.name}}`),
      url.match(/\{\w+\}/g) ?? []
    )
  }
})

t.test('every error has words for what to do, which name only what exists', async t => {
  t.same(document.components.schemas.Error.properties.code.enum, Object.keys(errorKinds))
  for (const [code, { suggestions, meaning, status, severity }] of Object.entries(errorKinds)) {
    t.same(suggestionFaults(suggestions), [], code)
    t.ok(meaning.length > 10 && status >= 400 && ['warning', 'error', 'critical'].includes(severity), code)
  }
})

t.test('there is a page to read it', async t => {
  const page = await app.server.inject({ url: '/docs/' })
  t.match(page, { statusCode: 200, headers: { 'content-type': /^text\/html/ } })
  t.match((await app.server.inject({ url: '/docs' })).statusCode, 200)
})
