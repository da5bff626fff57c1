import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import t from 'tap'
import { createToolLists } from '../../src/mcp/tool-list.js'
import { tools } from '../support/tools.js'

const listOf = createToolLists(tools)
const everything = { permissions: ['admin'], toolsets: ['all'] } as const
const authenticated = listOf({ ...everything, auth_token: false, named: true, output_schemas: false })
const bare = listOf({ ...everything, auth_token: true, named: false, output_schemas: true })

t.test('auth_token is listed where the connection has no credentials, but for the call that looks at none', async t => {
  for (const { name, inputSchema } of authenticated) t.notOk('auth_token' in (inputSchema.properties as object), name)
  for (const { name, inputSchema } of bare)
    t.equal('auth_token' in (inputSchema.properties as object), name !== 'authenticate_agent', name)
})

t.test('annotations are true', async t => {
  t.same(
    bare.map(tool => tool.name),
    tools.map(tool => tool.name),
    'in the order of the catalogue'
  )
  for (const [i, { name, annotations }] of [...bare.entries(), ...authenticated.entries()]) {
    const tool = tools[i] as (typeof tools)[number]
    const reads = tool.effect === 'reads'
    // What the protocol takes for given where a hint is left out; of a tool that only reads the others say nothing.
    const hints = {
      readOnlyHint: false,
      ...(!reads && { destructiveHint: true, idempotentHint: false }),
      ...annotations
    }
    t.same(
      hints,
      {
        readOnlyHint: reads,
        ...(!reads && { destructiveHint: tool.effect === 'replaces', idempotentHint: tool.repeatable === true }),
        // Left out where only models read the list, since nobody is asked for anything yet.
        ...(annotations?.openWorldHint !== undefined && { openWorldHint: false })
      },
      name
    )
  }
  const hints = Object.fromEntries(authenticated.map(({ name, annotations }) => [name, annotations]))
  t.same(hints.get_messages, { readOnlyHint: true, openWorldHint: false })
  t.match(hints.add_message, { destructiveHint: false, idempotentHint: undefined })
  t.match(hints.delete_memory, { destructiveHint: undefined, idempotentHint: true })
})

t.test('output schemas describe a success, and nothing else', async t => {
  const validator = new AjvJsonSchemaValidator()
  for (const { name, outputSchema } of bare) {
    const check = validator.getValidator(outputSchema as object)
    t.notOk(
      check({ success: true }).valid || tools.find(tool => tool.name === name)?.output.required === undefined,
      `${name} does not take an answer without its fields`
    )
    t.notOk(check({ success: false }).valid, `${name} does not take a failure`)
    t.notOk('code' in (outputSchema?.properties as object), `${name} says nothing of errors`)
  }
  for (const { name, outputSchema } of authenticated) t.equal(outputSchema, undefined, name)
})
