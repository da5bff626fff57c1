import t from 'tap'
import { environment, newSession, ok, runProgram, runToEnd, startApp } from '../helper.js'
import { needsTerminal, onTerminal } from '../support/terminal.js'

/** What a person at a terminal sees, and is asked. */

t.test('logs are lines for people on a terminal, and JSON elsewhere', needsTerminal, async t => {
  const app = await startApp(t)
  const serve = (env: Record<string, string>) =>
    onTerminal(['serve'], environment(app.url, { LOG_LEVEL: 'info', ...env }), [
      { after: /is ready at/, text: '\u0003' }
    ])
  const { code, shown } = await serve({ NO_COLOR: '1' })
  t.equal(code, 0, 'Ctrl-C ends it well')
  t.match(shown, /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: Server listening at http:/m)
  t.match(shown, /WARN: AUDIT_HMAC_KEY is not set/)
  t.match(shown, /INFO: stopped/)
  t.notMatch(shown, /^\{"level"/m)
  t.notMatch(shown, /\u001b\[/, 'NO_COLOR is kept to')
  t.match((await serve({})).shown, /\u001b\[32mINFO/, 'in colour otherwise')
  t.match((await serve({ LOG_FORMAT: 'json' })).shown, /^\{"level":30,.*"msg":"stopped"\}$/m)

  const piped = await runProgram(t, ['serve'], environment(app.url, { LOG_LEVEL: 'info' }))
  await piped.stop()
  t.match(piped.output(), /^\{"level":30,"time":"\d{4}-.*"msg":"stopped"\}$/m)
  const forced = await runProgram(t, ['serve'], environment(app.url, { LOG_LEVEL: 'info', LOG_FORMAT: 'pretty' }))
  await forced.stop()
  t.match(forced.output(), /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: stopped$/m)
})

t.test('pino-pretty is loaded for nobody but a terminal', async t => {
  const app = await startApp(t)
  const program = `import { createRequire } from 'node:module'
    const { cache } = createRequire('/')
    process.on('exit', () => {
      const loaded = Object.keys(cache).some(name => name.includes('pino-pretty'))
      process.stderr.write(loaded ? 'it is loaded' : 'it is not loaded')
    })`
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(program)}`
  for (const [LOG_FORMAT, says] of Object.entries({ auto: 'it is not loaded', pretty: 'it is loaded' })) {
    const { stderr } = await runToEnd(['mcp'], environment(app.url, { LOG_FORMAT, NODE_OPTIONS }))
    t.ok(stderr.endsWith(says), LOG_FORMAT)
  }
})

t.test('what erases asks, and does nothing without a yes', needsTerminal, async t => {
  const app = await startApp(t)
  const session_id = await newSession(app, { agent_id: 'ada' })
  await ok(app, 'add_message', { session_id, content: 'x' }, { agent_id: 'ada' })
  const erase = (answer: string) =>
    onTerminal(['erase-agent', 'ada'], environment(app.url), [{ after: /Type yes to go on: /, text: answer }])
  const count = async () => (await ok(app, 'get_messages', { session_id }, { admin: true })).count as number
  for (const answer of ['no\n', '\n', '\u0003', '\u0004']) {
    const { code, shown } = await erase(answer)
    t.equal(code, 1, JSON.stringify(answer))
    t.match(shown, /This erases the agent ada of the workspace default: 1 message in 1 session/)
    t.match(shown, /Nothing was changed\./)
  }
  t.equal(await count(), 1)
  const { code, shown } = await erase('yes\n')
  t.equal(code, 0)
  t.match(shown, /^erased-[0-9a-f]{16}$/m)
  t.equal(await count(), 0)
})
