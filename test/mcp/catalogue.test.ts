import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import t from 'tap'
import { AppError, errorBody, type ErrorCode, errorKinds } from '../../src/core/errors.js'
import { describeTools } from '../../src/mcp/tool-list.js'
import { tools } from '../../src/tools/index.js'

const { authenticated, bare } = describeTools(tools)

t.test('input schemas are flat objects without unions or null types', async t => {
  for (const { name, inputSchema } of [...authenticated, ...bare]) {
    t.equal(inputSchema.type, 'object', name)
    t.same(forbidden(inputSchema), [], name)
  }
})

function forbidden (schema: unknown, at = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([key, value]) => {
    const here = `${at}/${key}`
    const bad = ['anyOf', 'oneOf', 'allOf', 'not', '$ref', 'if'].includes(key) || (key === 'type' && (value === 'null' || Array.isArray(value))) || (key === 'nullable')
    return [...(bad && !at.endsWith('/properties') ? [here] : []), ...forbidden(value, here)]
  })
}

t.test('auth_token is listed where the connection has no credentials, but for the call that looks at none', async t => {
  for (const { name, inputSchema } of authenticated) t.notOk('auth_token' in (inputSchema.properties as object), name)
  for (const { name, inputSchema } of bare) t.equal('auth_token' in (inputSchema.properties as object), name !== 'authenticate_agent', name)
})

t.test('annotations are true', async t => {
  t.same(bare.map(tool => tool.name), tools.map(tool => tool.name), 'in the order of the catalogue')
  for (const [i, { name, annotations }] of bare.entries()) {
    const tool = tools[i] as (typeof tools)[number]
    t.match(annotations, {
      readOnlyHint: tool.effect === 'reads',
      destructiveHint: tool.effect === 'replaces',
      idempotentHint: tool.effect === 'reads' || tool.repeatable === true,
      openWorldHint: false
    }, name)
  }
  const hints = Object.fromEntries(bare.map(({ name, annotations }) => [name, annotations]))
  t.match(hints.get_messages, { readOnlyHint: true, destructiveHint: false, idempotentHint: true })
  t.match(hints.add_message, { readOnlyHint: false, destructiveHint: false, idempotentHint: false })
  t.match(hints.delete_memory, { readOnlyHint: false, destructiveHint: true, idempotentHint: true })
})

t.test('output schemas take every error object too, since clients hold errors against them', async t => {
  const validator = new AjvJsonSchemaValidator()
  const context = { argument: 'limit', given: 'nothing', allowed: ['a', 'b'] }
  for (const { name, outputSchema } of bare) {
    const check = validator.getValidator(outputSchema)
    for (const code of Object.keys(errorKinds) as ErrorCode[]) {
      const body = JSON.parse(JSON.stringify(errorBody(new AppError(code, 'words', { context }), 'id'))) as unknown
      const { valid, errorMessage } = check(body)
      t.ok(valid, `${name} ${code} ${errorMessage ?? ''}`)
    }
    t.notOk(check({ success: true }).valid || tools.find(tool => tool.name === name)?.output.required === undefined, `${name} does not take an answer without its fields`)
    t.notOk(check({ success: false }).valid, `${name} does not take an error without its fields`)
  }
})
