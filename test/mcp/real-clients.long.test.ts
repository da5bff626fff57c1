import t, { type Test } from 'tap'
import { tools } from '../support/tools.js'
import { ADMIN_API_KEY, API_KEY, listen, newSession, ok, startApp } from '../helper.js'
import { samples } from '../support/samples.js'
import { connectLegacy, connectModern, type Connected, type Headers, MODERN, saidBy, VERSIONS } from './clients.js'

/** The clients of both SDKs, over sockets. */

/** More arguments than any tool takes, or leaves out. */
const TOO_MANY = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`surprise_${i}`, i]))

const app = await startApp(t)
const base = await listen(app)
const KEY: Headers = { 'x-api-key': API_KEY, 'x-agent-id': 'agent-1' }

/** All tools are listed, with the schemas of answers: these clients check answers against them. */
const QUERY = '?toolsets=all&output_schemas=true'

const clients: Record<string, (t: Test, headers?: Headers) => Promise<Connected>> = {
  'the SDK of 2025': async (t, headers) => connectLegacy(t, `${base}/mcp${QUERY}`, headers),
  ...Object.fromEntries(
    VERSIONS.map(version => [
      `the SDK of 2026 at ${version}`,
      async (t: Test, headers?: Headers) => connectModern(t, `${base}/mcp/${QUERY}`, headers, version)
    ])
  )
}

for (const [name, connect] of Object.entries(clients)) {
  await t.test(name, async t => {
    await t.test('lists what there is, before authentication too', async t => {
      const { client, errors } = await connect(t)
      t.same(
        (await client.listTools()).tools.map(tool => tool.name),
        tools.filter(({ permission }) => permission !== 'admin').map(tool => tool.name)
      )
      t.same(
        (await client.listResources()).resources.map(one => one.uri),
        ['server://info', 'docs://tools']
      )
      t.same(
        (await client.listResourceTemplates()).resourceTemplates.map(one => one.uriTemplate),
        [
          'skill://{name}/SKILL.md',
          'session://{session_id}',
          'session://{session_id}/messages/{limit}',
          'agent://{agent_id}/memory'
        ]
      )
      t.same(
        (await client.listPrompts()).prompts.map(one => one.name),
        ['setup-collaboration', 'debug-session']
      )
      t.same(errors, [], 'that there is no stream to listen on is fine')
    })

    await t.test('calls every tool', async t => {
      const { client } = await connect(t, KEY)
      const { client: admin } = await connect(t, { 'x-api-key': ADMIN_API_KEY, 'x-agent-id': 'an-admin' })
      for (const one of [client, admin])
        for (const { name, outputSchema } of (await one.listTools()).tools)
          t.ok(outputSchema, `${name} says how it answers`)
      for (const tool of tools) {
        const { args, as = {} } = await (samples[tool.name] as NonNullable<(typeof samples)[string]>)(app)
        // Who authenticates in a session, or brings a token, has a connection of its own.
        const own: Headers | undefined = as.token !== undefined ? { authorization: `Bearer ${as.token}` } : as.headers
        const call = own !== undefined ? (await connect(t, own)).client : as.admin === true ? admin : client
        if (own !== undefined) await call.listTools()
        const answer = await call.callTool({ name: tool.name, arguments: args })
        t.match(
          answer,
          { structuredContent: { success: true }, content: [{ type: 'text' }] },
          `${tool.name}${answer.isError === true ? `: ${JSON.stringify(saidBy(answer))}` : ''}`
        )
        t.not(answer.isError, true)
        const refused = await call.callTool({ name: tool.name, arguments: TOO_MANY })
        t.match(
          { ...refused, said: saidBy(refused) },
          { isError: true, structuredContent: undefined, said: { success: false, suggestions: [/./] } },
          `${tool.name} refuses, and the client takes it as a result`
        )
      }
      await t.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), {
        code: -32602,
        message: /There is no tool of that name/
      })
    })

    await t.test('reads resources', async t => {
      const { client } = await connect(t, KEY)
      const session_id = await newSession(app, {}, 'to be read')
      for (let i = 1; i <= 3; i++) await ok(app, 'add_message', { session_id, content: `message ${i}` })
      await ok(
        app,
        'add_message',
        { session_id, content: 'of another', visibility: 'private' },
        { agent_id: 'another' }
      )
      await ok(app, 'set_memory', { key: 'remembered', value: 1 })
      const { resources } = await client.listResources()
      t.same(
        resources.slice(0, 4).map(one => one.uri),
        ['server://info', 'docs://tools', 'agent://agent-1/memory', `session://${session_id}`]
      )
      t.match(resources[3], { title: 'to be read', description: /Open, 3 messages/ })

      const read = async (uri: string) => {
        const content = (await client.readResource({ uri })).contents[0] as {
          uri: string
          mimeType: string
          text: string
        }
        t.equal(content.uri, uri)
        return content.mimeType === 'application/json' ? JSON.parse(content.text) : content.text
      }
      t.match(await read(`session://${session_id}`), {
        session: { id: session_id, purpose: 'to be read' },
        statistics: { message_count: 3, messages_shown: 3, participants: ['agent-1'], last_activity: String },
        messages: [{ content: 'message 3' }, { content: 'message 2' }, { content: 'message 1' }]
      })
      t.match(await read(`session://${session_id}/messages/2`), {
        messages: [{ content: 'message 2' }, { content: 'message 3' }],
        count: 2,
        total_count: 3,
        last_seq: Number
      })
      t.match(await read('agent://agent-1/memory'), { agent_id: 'agent-1', entries: [{ key: 'remembered' }] })
      t.match(await read('server://info'), { name: 'shared-context-server', tools: tools.map(tool => tool.name) })
      for (const tool of tools) t.match(await read('docs://tools'), `## ${tool.name}\n`)

      const missing = name.includes(MODERN) ? -32602 : -32002
      for (const [uri, code] of [
        ['session://session_0123456789abcdef', 'SESSION_NOT_FOUND'],
        ['session://session_0123456789abcdef/messages/5', 'SESSION_NOT_FOUND'],
        ['agent://another/memory', 'TOOL_NOT_FOUND'],
        ['agent://nobody/memory', 'TOOL_NOT_FOUND'],
        ['nothing://here', 'TOOL_NOT_FOUND'],
        ['session://', 'TOOL_NOT_FOUND'],
        ['agent://%E0%A4%A/memory', 'TOOL_NOT_FOUND']
      ] as const)
        await t.rejects(client.readResource({ uri }), { code: missing, data: { success: false, code } }, uri)
      await t.rejects(client.readResource({ uri: `session://${session_id}/messages/0` }), {
        code: -32602,
        data: { code: 'INVALID_INPUT', context: { argument: 'limit' } }
      })
    })

    await t.test('gets prompts', async t => {
      const { client } = await connect(t, KEY)
      const session_id = await newSession(app, {}, 'to be debugged')
      await ok(app, 'add_message', { session_id, content: 'a public word' })
      await ok(
        app,
        'add_message',
        { session_id, content: 'a private word', visibility: 'private' },
        { agent_id: 'another' }
      )
      const text = async (name: string, args: Record<string, string>) => {
        const { messages } = await client.getPrompt({ name, arguments: args })
        t.match(messages, [{ role: 'user', content: { type: 'text' } }])
        return (messages[0]?.content as { text: string }).text
      }
      const setup = await text('setup-collaboration', { purpose: 'Write a book', expert_roles: 'writer, critic' })
      for (const part of ['Write a book', 'writer, critic', 'create_session', 'coordinator-worker'])
        t.match(setup, part)
      t.match(
        await text('setup-collaboration', {
          purpose: 'Go on',
          expert_roles: 'critic',
          collaboration_type: 'sequential',
          session_id
        }),
        new RegExp(`${session_id}[^]*\n> .*to be debugged`)
      )
      const debug = await text('debug-session', { session_id })
      t.match(debug, 'a public word')
      t.notMatch(debug, 'a private word', 'the rights of the caller apply')
      await t.rejects(
        client.getPrompt({ name: 'debug-session', arguments: { session_id: 'session_0123456789abcdef' } }),
        { message: /no session with that session_id/, data: { code: 'SESSION_NOT_FOUND' } }
      )
      await t.rejects(client.getPrompt({ name: 'debug-session' }), {
        code: -32602,
        data: { code: 'INVALID_INPUT', context: { argument: 'session_id' } }
      })
      await t.rejects(client.getPrompt({ name: 'debug-session', arguments: { session_id, surprise: 'x' } }), {
        code: -32602,
        data: { code: 'INVALID_INPUT' }
      })
      await t.rejects(client.getPrompt({ name: 'no-such-prompt' }), {
        code: -32602,
        message: /There is no prompt of that name/
      })
    })
  })
}
