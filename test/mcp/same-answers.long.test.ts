import t from 'tap'
import { type Tool } from '../../src/kernel/tool.js'
import { tools } from '../support/tools.js'
import { type As, call, credentials, startApp } from '../helper.js'
import { samples, type Sample, token } from '../support/samples.js'
import { callTool } from './clients.js'

/** Every tool over both fronts and both eras of MCP: the same answer, the same error. */

const app = await startApp(t)

/** What is wrong, and a call in which it is. */
type Case = [what: string, make: (sample: Sample & { as: As }) => [args: unknown, as: As]]

async function sampleOf(tool: Tool): Promise<Sample & { as: As }> {
  const sample = await (samples[tool.name] as (of: typeof app) => Promise<Sample>)(app)
  // Named, since without it the agent's type says by which front it came.
  return { ...sample, as: { agent_type: 'custom', ...sample.as } }
}

/** An answer without what differs from call to call: ids, times, tokens, measurements, who happens to wait. */
function comparable(value: unknown, at = ''): unknown {
  // The agent that answers the samples' questions waits at one moment, and at the next it answers.
  if (/^(known|waiting|last_seen_at)$/.test(at)) return '<presence>'
  if (Array.isArray(value)) return value.map(item => comparable(item, at))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, comparable(inner, key)]))
  }
  if (typeof value === 'string') {
    return value
      .replace(/session_[0-9a-f]{16}/g, '<session>')
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>')
      .replace(/key_[0-9a-f]{16}/g, '<key>')
      .replace(/task_[0-9a-f]{16}/g, '<task>')
      .replace(/erased-[0-9a-f]{16}/g, '<pseudonym>')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>')
      .replace(/eyJ[\w.-]+/g, '<token>')
      .replace(/^(?=.*\d)[\w-]{40,}(\.[\w-]+)?$/, '<cursor>')
  }
  return typeof value === 'number' && /^(id|.*_ids?|version|.*_ms|count|days|token)$/.test(at) ? '<number>' : value
}

for (const tool of tools) {
  await t.test(tool.name, async t => {
    for (const era of ['legacy', 'modern'] as const) {
      const over = async (args: unknown, as: As) => callTool(app, era, tool.name, args, credentials(as))

      const forRest = await sampleOf(tool)
      const forMcp = tool.effect === 'reads' ? forRest : await sampleOf(tool)
      const rest = await call(app, tool.name, forRest.args, forRest.as)
      const mcp = await over(forMcp.args, forMcp.as)
      t.equal(mcp.isError, undefined, `${era}: a success is no error`)
      t.same(JSON.parse(mcp.content[0].text), mcp.structuredContent, `${era}: the text is the same object`)
      if (['get_performance_metrics', 'get_server_health', 'list_workspaces'].includes(tool.name))
        t.same(Object.keys(mcp.structuredContent).sort(), Object.keys(rest.body).sort(), era)
      // Whoever asks is present at that moment.
      else if (tool.name === 'get_session')
        t.same(comparable(mcp.structuredContent), comparable(rest.body), `${era}: the same answer`)
      else if (tool.effect === 'reads')
        t.same(
          { ...mcp.structuredContent, search_time_ms: 0 },
          { ...rest.body, search_time_ms: 0 },
          `${era}: the very same answer`
        )
      else t.same(comparable(mcp.structuredContent), comparable(rest.body), `${era}: the same answer`)

      const limited: As = { token: await token(app, 'limited', tool.permission === 'read' ? ['write'] : ['read']) }
      const nobody: As = { anonymous: true }
      const own = tool.credentials === 'own'
      const [first] = Object.keys(tool.input.properties)
      const cases: Case[] = [
        ['no credentials', ({ args }) => [own ? { ...args, api_key: undefined } : args, nobody]],
        ...(own ? [['a wrong key', ({ args }) => [{ ...args, api_key: 'wrong' }, nobody]] as Case] : []),
        ...(first === undefined
          ? []
          : [['a misspelt argument', ({ args, as }) => [{ ...args, [`${first}x`]: 1 }, as]] as Case]),
        [
          'arguments of the wrong type',
          ({ args, as }) => [Object.fromEntries(Object.keys(args).map(name => [name, { wrong: true }])), as]
        ],
        ['nothing', ({ as }) => [{}, as]],
        ...(tool.permission === 'none'
          ? []
          : [
              ['too few permissions', ({ args }: Sample) => [args, limited]] as [
                string,
                (sample: Sample) => [unknown, As]
              ]
            ])
      ]
      for (const [what, make] of cases) {
        // Each front gets its own: some calls use up what they are given.
        const rest = await call(app, tool.name, ...make(await sampleOf(tool)))
        const mcp = await over(...make(await sampleOf(tool)))
        t.equal(mcp.isError === true, rest.body.success !== true, `${era}: ${what}`)
        if (mcp.isError !== true) continue
        t.same(
          mcp.content.map(({ type }: { type: string }) => type),
          ['text'],
          `${era}: ${what}`
        )
        t.notOk(
          'structuredContent' in mcp,
          `${era}: no structured content, which clients hold against the schema of a success, for ${what}`
        )
        t.same(comparable(mcp.said), comparable(rest.body), `${era}: the same error for ${what}`)
      }
    }
  })
}
