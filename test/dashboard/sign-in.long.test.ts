import t from 'tap'
import { SignInCodes } from '../../src/dashboard/sign-in-codes.js'
import { environment, runProgram } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { temporaryFolder } from '../support/own-server.js'
import { needsTerminal, onTerminal } from '../support/terminal.js'

/** The link that `npm start` prints on a laptop. */

const LINK = /page +(http:\/\/\S+\/app\/)#sign-in=(\S+)/

async function use(page: string, code: unknown, headers: Record<string, string> = {}): Promise<any> {
  const answer = await fetch(`${page}sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ code })
  })
  return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) }
}

t.test('on a terminal, with data of its own: a link that signs in once', needsTerminal, async t => {
  const DATA_DIR = await temporaryFolder(t)
  const answers: any[] = []
  const { shown } = await onTerminal(['serve'], { DATA_DIR, PORT: '0', LOG_LEVEL: 'error' }, [
    {
      after: /claude mcp add/,
      text: async shown => {
        const [, page = '', code = ''] = LINK.exec(shown) ?? []
        answers.push(await use(page, 'wrong'))
        answers.push(await use(page, code, { 'x-forwarded-for': '203.0.113.9' }))
        answers.push(await use(page, code, { forwarded: 'for=203.0.113.9' }))
        answers.push(await use(page, code, { via: '1.1 proxy' }))
        answers.push(await use(page, code, { 'x-real-ip': '203.0.113.9' }))
        answers.push(await use(page, undefined))
        const made = await use(page, code)
        answers.push(made)
        answers.push(await use(page, code))
        const { status } = await fetch(new URL('../mcp/tool/list_sessions', page), {
          method: 'POST',
          headers: { authorization: `Bearer ${made.token}`, 'content-type': 'application/json' },
          body: '{}'
        })
        answers.push({ status })
        return '\u0003'
      }
    }
  ])
  t.match(shown, LINK)
  const refused = { status: 403, code: 'PERMISSION_DENIED' }
  t.match(answers, [
    refused,
    refused,
    refused,
    refused,
    refused,
    refused,
    { status: 200, agent_id: 'person', agent_type: 'human', permissions: ['read', 'write'] },
    refused,
    { status: 200 }
  ])
  t.equal(Buffer.from(LINK.exec(shown)?.[2] ?? '', 'base64url').length, 16, '128 bits')
})

t.test('elsewhere there is no link', needsTerminal, async t => {
  const DATA_DIR = await temporaryFolder(t)
  const typed = [{ after: /claude mcp add/, text: '\u0003' }]
  const everywhere = await onTerminal(['serve'], { DATA_DIR, PORT: '0', LOG_LEVEL: 'error', HOST: '0.0.0.0' }, typed)
  t.match(everywhere.shown, /\/app\/\s/)
  t.notMatch(everywhere.shown, /sign-in/, 'others can reach it')
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  const server = await onTerminal(['serve'], environment(url), typed)
  t.notMatch(server.shown, /sign-in/, 'a database of a server')
  const { output, url: address } = await runProgram(t, ['serve'], { DATA_DIR, PORT: '0', LOG_LEVEL: 'error' })
  t.notMatch(output(), /sign-in/, 'no terminal')
  t.match(await use(`${address}/app/`, 'x'), { status: 403 })
})

t.test('a code ends after five minutes', async t => {
  let now = 0
  const codes = new SignInCodes(() => now)
  const [first, second] = [codes.make(), codes.make()]
  now += 5 * 60_000 - 1
  t.ok(codes.use(first))
  now += 1
  t.notOk(codes.use(second))
})
