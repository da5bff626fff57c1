import fc from 'fast-check'
import t from 'tap'
import { applyEdits } from '../../src/connect/text/edits.js'
import { insertEntry, removeEntry, updateEntry, valueAt } from '../../src/connect/text/formats.js'

/** Edits of TOML: nothing but what is meant changes, in any text that a coding agent may have. */

const TOML = ['mcp_servers', 'shared-context']
const TABLE = { url: 'http://127.0.0.1:23456/mcp', http_headers: { 'X-API-Key': 'scs_key' } }
const WITH_TABLES = `# mine
model = "gpt" # the best
when = 2026-12-01T00:00:00Z

[mcp_servers.other]
command = "x" # keep
text = """
[mcp_servers.shared-context]
"""

[[profiles]]
a = 1`

t.test('TOML: it adds a table, brings it up to date, and takes it out', async t => {
  const put = (text: string) => applyEdits(text, insertEntry('toml', text, TOML, TABLE))
  t.equal(
    put(WITH_TABLES),
    `${WITH_TABLES}

[mcp_servers.shared-context]
url = "http://127.0.0.1:23456/mcp"
http_headers = { "X-API-Key" = "scs_key" }
`
  )
  t.match(put(''), /^\[mcp_servers/)
  t.notMatch(put('a = 1\r\n'), /[^\r]\n/, 'all lines end alike')
  t.equal(removeEntry('toml', put(`${WITH_TABLES}\n`), TOML), `${WITH_TABLES}\n`)
  const old = `[mcp_servers.shared-context] # here
command = "mcp-proxy"
url = "http://old" # moved
startup_timeout_sec = 20
[mcp_servers.shared-context.http_headers]
X-API-Key = "old"
X-Other = "kept"
# of the next
[tui]
a = 1
`
  const after = updateEntry('toml', old, TOML, TABLE)
  t.same(valueAt('toml', after, TOML), {
    url: TABLE.url,
    startup_timeout_sec: 20,
    http_headers: { 'X-API-Key': 'scs_key', 'X-Other': 'kept' }
  })
  t.match(
    after,
    /^\[mcp_servers.shared-context\] # here\n[^]*url = .*\/mcp" # moved\n[^]*# of the next\n\[tui\]\na = 1\n$/
  )
  t.equal(updateEntry('toml', after, TOML, TABLE), after)
  t.equal(removeEntry('toml', after, TOML), '# of the next\n[tui]\na = 1\n')
})

const tomlLine = fc.constantFrom(
  '# note',
  '',
  'd = 2026-01-01',
  's = "[x]"',
  "l = '''\\n[mcp_servers]\\n'''",
  'a.b = [1, 2] # c'
)
const tomlText = fc
  .tuple(
    fc.array(tomlLine, { maxLength: 3 }),
    fc.array(fc.array(tomlLine, { maxLength: 3 }), { maxLength: 3 }),
    fc.boolean()
  )
  .map(([top, tables, isWindows]) => {
    const once = (lines: string[]) => [...new Set(lines)]
    const parts = [...once(top), ...tables.flatMap((lines, index) => [`[mcp_servers.t${index}] # t`, ...once(lines)])]
    return parts.map(line => `${line}${isWindows ? '\r\n' : '\n'}`).join('')
  })

t.test('TOML: in any text, only the table comes and goes', async t => {
  fc.assert(
    fc.property(
      tomlText,
      text => removeEntry('toml', applyEdits(text, insertEntry('toml', text, TOML, TABLE)), TOML) === text
    ),
    { numRuns: 150 }
  )
  t.pass()
})

t.test('TOML: what it refuses', async t => {
  t.throws(() => insertEntry('toml', 'a = ', TOML, TABLE), /is damaged at line 1/)
  const inline = 'mcp_servers.shared-context.url = "x"\n'
  t.throws(() => updateEntry('toml', inline, TOML, TABLE), /in another form than a table/)
  t.throws(() => removeEntry('toml', inline, TOML), /in another form than a table/)
})
