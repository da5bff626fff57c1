import t from 'tap'
import { API_KEY, type Answer, listen, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { exchange } from '../support/raw-http.js'

/**
 * Who tries to be somebody else by what stands in the headers: as bytes on a socket, since clients would not send it.
 */

const app = await startApp(t)
const base = await listen(app)
const { host } = new URL(base)

async function asks(
  lines: Array<string | Buffer>,
  path = '/mcp/tool/get_usage_guidance',
  body = '{}'
): Promise<Answer> {
  const head = [
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Type: ` +
        'application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: ' +
        `${Buffer.byteLength(body)}\r\n`
    ),
    ...lines.flatMap(line => [Buffer.from(line), Buffer.from('\r\n')]),
    Buffer.from('\r\n'),
    Buffer.from(body)
  ]
  return exchange(base, [Buffer.concat(head)])
}

const KEY = `X-API-Key: ${API_KEY}`
const who = (answer: Answer) => answer.body?.agent_info?.agent_id

t.test('a header that says who calls, sent twice', async t => {
  const { token } = await ok(app, 'authenticate_agent', { agent_id: 'a', agent_type: 't' })
  const twice: string[][] = [
    [KEY, 'X-Agent-Id: victim', 'X-Agent-Id: attacker'],
    [KEY, 'X-Agent-Id: same', 'x-agent-id: same'],
    [KEY, 'X-AGENT-ID: victim', 'X-Agent-Id:'],
    [KEY, KEY, 'X-Agent-Id: a'],
    [KEY, 'X-Agent-Id: a', 'X-Agent-Type: one', 'X-Agent-Type: two'],
    [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`],
    [`Authorization: Bearer ${token}`, 'Authorization: Bearer None']
  ]
  const call = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'get_usage_guidance', arguments: {} }
  })
  for (const lines of twice) {
    isFailure(t, await asks(lines), 'INVALID_INPUT', lines.join(' | '))
    t.match(
      await asks(lines, '/mcp', call),
      { status: 400, body: { jsonrpc: '2.0', error: { data: { code: 'INVALID_INPUT' } } } },
      'over MCP'
    )
  }
  t.equal(who(await asks([KEY, 'X-Agent-Id: a, b'])), 'a, b', 'a comma in one is a letter of a name')
})

t.test('line breaks and other controls in a name', async t => {
  for (const bytes of [
    'a\rX-Agent-Id: admin',
    'a\nX-API-Key: b',
    'a\r\n admin',
    'a\r\n\tadmin',
    'a\u0000b',
    'a\u000bb',
    'a\u007fb',
    '\u0085',
    'a\u001b[31m'
  ]) {
    const answer = await asks([KEY, Buffer.from(`X-Agent-Id: ${bytes}`, 'latin1')])
    t.equal(answer.status, 400, JSON.stringify(bytes))
    t.match(answer.body, { success: false, code: 'INVALID_INPUT' })
  }
  for (const inside of ['a%0d%0aX-Agent-Id: b', 'a\\r\\nb', '=?utf-8?q?admin?=', "utf-8''admin"])
    t.equal(who(await asks([KEY, `X-Agent-Id: ${inside}`])), inside, 'an escape means itself')
})

t.test('names that look like another', async t => {
  const utf8 = (name: string) => asks([KEY, Buffer.from(`X-Agent-Id: ${name}`)])
  for (const name of ['аdmin', 'ａdmin', 'admi\u0301n', 'ADMIN', 'admin.']) {
    const answer = await utf8(name)
    t.equal(who(answer), name.normalize(), `${JSON.stringify(name)} is just itself`)
    t.same(answer.body.agent_info.permissions, ['read', 'write'])
  }
  for (const name of ['admin\u200b', '\u202enimda'])
    t.match((await utf8(name)).body, { code: 'INVALID_INPUT', error: /not seen/ }, JSON.stringify(name))
  t.equal(who(await utf8('   admin \t')), 'admin', 'space around a header is no part of it')
  t.equal(
    who(await asks([KEY, Buffer.from([...Buffer.from('X-Agent-Id: '), 0xff, 0xfe])])),
    'ÿþ',
    'bytes that are no UTF-8 are Latin-1'
  )
})

t.test('names of headers that are not quite right', async t => {
  for (const line of [
    'X-Agent-Id : victim',
    ' X-Agent-Id: victim',
    'X-Agent-Id\u0000: victim',
    ': victim',
    'X-Agent-Id'
  ]) {
    const { status } = await asks([KEY, line])
    t.equal(status, 400, JSON.stringify(line))
  }
  isFailure(
    t,
    await asks([KEY, 'X_Agent_Id: victim'], '/mcp/tool/list_sessions'),
    'AUTHENTICATION_REQUIRED',
    'an underscore is no hyphen'
  )
})

t.test('one request does not hide in another', async t => {
  const hidden =
    `POST /mcp/tool/create_session HTTP/1.1\r\nHost: ${host}\r\n${KEY}\r\nX-Agent-Id: ` +
    'smuggler\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n' +
    '{"purpose":"hidden"}'
  const start = `POST /mcp/tool/get_usage_guidance HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`
  for (const head of [
    'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding: chunked\r\nContent-Length: 2\r\n',
    'Content-Length: 2\r\nContent-Length: 500\r\n',
    'Content-Length: 2, 500\r\n',
    'Content-Length: +2\r\n',
    'Content-Length: 0x2\r\n',
    'Transfer-Encoding: xchunked\r\n',
    'Transfer-Encoding : chunked\r\n',
    'Transfer-Encoding:\u000bchunked\r\n',
    'Transfer-Encoding: chunked, identity\r\n',
    'Content-Length: 2\r\nTransfer-Encoding: identity\r\n'
  ]) {
    const answer = await exchange(base, [`${start}${head}\r\n0\r\n\r\n${hidden}`])
    // Refused, or hung up on where an answer was begun already.
    t.ok(answer.status === 400 || Number.isNaN(answer.status), `${JSON.stringify(head)}: ${answer.status}`)
  }
  const { rows } = await app.database.pool.query('select count(*)::int as n from sessions')
  t.same(rows, [{ n: 0 }], 'none was opened')
})
