import { readFile, writeFile } from 'node:fs/promises'
import t from 'tap'
import { applyEdits } from '../../src/connect/text/edits.js'
import { insertEntry, removeEntry, updateEntry, valueAt } from '../../src/connect/text/formats.js'
import { agentOf, entryOf, placeOf, run, URL } from './places.js'

/** TOML whose servers, or whose entry, are written on one line: `mcp_servers = {}`. */

const PATH = ['mcp_servers', 'shared-context']
const TABLE = { url: 'http://127.0.0.1:23456/mcp', http_headers: { 'X-API-Key': 'scs_key' } }
const ENTRY = 'shared-context = { url = "http://127.0.0.1:23456/mcp", http_headers = { "X-API-Key" = "scs_key" } }'
const put = (text: string) => applyEdits(text, insertEntry('toml', text, PATH, TABLE))
const remove = (text: string) => removeEntry('toml', text, PATH)

/** What a file may hold, and what it holds with the entry. */
const FORMS = {
  'mcp_servers = {}\n': `mcp_servers = { ${ENTRY} }\n`,
  'mcp_servers = { } # none\n': `mcp_servers = { ${ENTRY} } # none\n`,
  'mcp_servers={other={command="x"}}': `mcp_servers={other={command="x"}, ${ENTRY}}`,
  'mcp_servers = { a = { b = "x" } }\r\n[tui]\r\n': `mcp_servers = { a = { b = "x" }, ${ENTRY} }\r\n[tui]\r\n`,
  '"mcp_servers" = { other.command = "x" }\n': `"mcp_servers" = { other.command = "x", ${ENTRY} }\n`
}

t.test('an entry goes into the table that is there, and out of it', async t => {
  for (const [before, after] of Object.entries(FORMS)) {
    t.equal(put(before), after)
    t.equal(remove(after), before.replace('{ }', '{}'))
    t.equal(updateEntry('toml', after, PATH, TABLE), after)
  }
  for (const text of ['mcp_servers.other = { command = "x" }\n', '[mcp_servers]\nother = { command = "x" }\n']) {
    t.match(put(text), `${text}\n[mcp_servers.shared-context]\nurl = `)
    t.equal(remove(put(text)), text)
  }
  const [first, last] = ['a = { url = "y" }', 'z = { url = "z" }']
  for (const [text, rest] of [
    [`mcp_servers = { ${ENTRY}, ${last} }`, `mcp_servers = { ${last} }`],
    [`mcp_servers = { ${first}, ${ENTRY} , ${last} }`, `mcp_servers = { ${first} , ${last} }`],
    [`[mcp_servers]\n${first}\n${ENTRY} # ours\n${last}\n`, `[mcp_servers]\n${first}\n${last}\n`],
    [`mcp_servers.${ENTRY}\n`, '']
  ] as const)
    t.equal(remove(text), rest)
})

t.test('an entry on one line is brought up to date, and keeps what the user added', async t => {
  const old =
    'mcp_servers = { shared-context = { command = "x", args = [], startup_timeout_sec = 20, url = "http://old", ' +
    'http_headers.X-API-Key = "old", http_headers.X-Other = "kept" }, z = { url = "z" } } # mine\n'
  const after = updateEntry('toml', old, PATH, TABLE)
  t.same(valueAt('toml', after, ['mcp_servers']), {
    'shared-context': {
      startup_timeout_sec: 20,
      url: TABLE.url,
      http_headers: { 'X-API-Key': 'scs_key', 'X-Other': 'kept' }
    },
    z: { url: 'z' }
  })
  t.match(after, /^mcp_servers = \{ shared-context = \{ startup_timeout_sec = 20, url = .*, z = .* \} # mine\n$/)
  t.equal(updateEntry('toml', after, PATH, TABLE), after, 'a second time changes nothing')
})

t.test('what it cannot do it says, and does not call the file damaged', async t => {
  for (const text of ['mcp_servers = 1\n', 'mcp_servers = []\n', '[[mcp_servers]]\na = 1\n'])
    t.throws(() => put(text), /^holds mcp_servers, which is no table; change it by hand$/, text)
  const dotted = 'mcp_servers = { shared-context.url = "x" }\n'
  t.throws(() => remove(dotted), /in another form than a table/)
})

for (const text of Object.keys(FORMS))
  t.test(`Codex gets its entry, and --remove gives back every byte of ${JSON.stringify(text)}`, async t => {
    const place = await placeOf(agentOf('codex'), text)
    const { lines } = await run(place, 'connect')
    t.match(lines.join('\n'), /\+ .*shared-context = \{ url = "http/)
    t.notMatch(lines.join('\n'), 'kkkkkkkkk', 'the key is not shown')
    t.match(await entryOf(place), { url: `${URL}/mcp`, http_headers: { 'X-Agent-Id': 'codex' } })
    t.match((await run(place, 'connect')).results, [{ changed: false }])
    await run(place, 'remove')
    t.equal(await readFile(place.path, 'utf8'), text)

    await run(place, 'connect')
    await writeFile(place.path, `model = "x"\n${await readFile(place.path, 'utf8')}`)
    await run(place, 'connect', { key: 'scs_another_key' })
    t.match(await entryOf(place), { http_headers: { 'X-API-Key': 'scs_another_key' } })
    await run(place, 'remove')
    t.equal(await readFile(place.path, 'utf8'), `model = "x"\n${text.replace('{ }', '{}')}`)
  })
