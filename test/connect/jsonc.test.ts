import fc from 'fast-check'
import t from 'tap'
import { applyEdits } from '../../src/connect/text/edits.js'
import { appendItem, insertEntry, removeEntry, updateEntry, valueAt } from '../../src/connect/text/formats.js'
import { hooksAt, removeHooks } from '../../src/connect/text/hook-lists.js'
import { Refused } from '../../src/connect/text/refused.js'

/** Edits of texts: nothing but what is meant changes, in any text that a coding agent may have. */

const PATH = ['mcpServers', 'shared-context']
const ENTRY = { type: 'http', url: 'http://127.0.0.1:23456/mcp', headers: { 'X-API-Key': 'scs_key' } }
const insert = (text: string, entry: Record<string, unknown> = ENTRY) =>
  applyEdits(text, insertEntry('json', text, PATH, entry))
const remove = (text: string) => removeEntry('json', text, PATH)

function refusalOf(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

const WITH_COMMENTS = `// what I like
{
  "theme": "dark", // at night
  "mcpServers": {
    /* mine */
    "other": { "command": "x", "args": ["a", "b",], }, // keep
    // the last word
  },
  "zoom": 1.50,
}
`

const ONE_LINE = '{ "type": "http", "url": "http://127.0.0.1:23456/mcp", "headers": { "X-API-Key": "scs_key" } }'

t.test('JSON: what it puts in, as people would write it', async t => {
  t.equal(
    insert(WITH_COMMENTS),
    WITH_COMMENTS.replace(
      '}, // keep\n',
      `}, // keep
    "shared-context": {
      "type": "http",
      "url": "http://127.0.0.1:23456/mcp",
      "headers": {
        "X-API-Key": "scs_key"
      }
    },
`
    )
  )
  t.equal(insert('{"mcpServers":{"a":{}}}'), '{"mcpServers":{"a":{}, "shared-context": ' + ONE_LINE + '}}')
  t.match(insert('{\n\t"a": 1 // one\n}'), /^\{\n\t"a": 1, \/\/ one\n\t"mcpServers": \{\n\t\t"shared-context": \{/)
  t.match(insert('{\r\n  "a": 1\r\n}\r\n'), /^\{\r\n {2}"a": 1,\r\n {2}"mcpServers": \{\r\n {4}"shared/)
  t.notMatch(insert('{\r\n  "a": 1\r\n}\r\n'), /[^\r]\n/, 'all lines end alike')
  t.match(insert(''), /^\{\n {2}"mcpServers": \{\n[^]*\}\n$/)
  t.match(insert('// nothing yet\n'), /^\/\/ nothing yet\n\{\n/)
  t.match(insert('{}'), /^\{\n {2}"mcpServers"[^]*\n\}$/)
  t.match(insert('{ /* empty */ }'), /^\{ \/\* empty \*\/\n {2}"mcpServers"[^]*\}\n? \}$/)
  t.match(insert('{\n  // empty\n}'), /^\{\n {2}\/\/ empty\n {2}"mcpServers"/)
})

t.test('JSON: what it takes out', async t => {
  for (const text of [WITH_COMMENTS, '{\n  "mcpServers": {\n    "a": {}\n  }\n}\n', '{"mcpServers":{"a":{}}}'])
    t.equal(remove(insert(text)), text)
  const entry = '"shared-context": {}'
  t.equal(remove(`{"mcpServers":{${entry}, "a": 1}}`), '{"mcpServers":{"a": 1}}')
  t.equal(remove(`{"mcpServers":{"a": 1, ${entry}, "b": 2}}`), '{"mcpServers":{"a": 1, "b": 2}}')
  t.equal(remove(`{"mcpServers":{"a": 1 // x\n, ${entry}}}`), '{"mcpServers":{"a": 1 // x\n}}')
  t.equal(remove(`{\n"mcpServers":{\n"a": 1, // x\n${entry}\n}}`), '{\n"mcpServers":{\n"a": 1 // x\n}}')
  t.equal(remove('{"mcpServers":{"a":1}}'), '{"mcpServers":{"a":1}}')
  t.equal(remove(''), '')
})

t.test('JSON: it brings an entry up to date, and keeps what the user has added to it', async t => {
  const text = `{
  "mcpServers": {
    "shared-context": {
      // the old one
      "command": "mcp-proxy",
      "url": "http://old/mcp", // moved
      "headers": { "x-api-key": "old", "X-MCP-Toolsets": "core" },
      "trust": true
    }
  }
}`
  const after = updateEntry('json', text, PATH, ENTRY)
  t.same(valueAt('json', after, PATH), {
    ...ENTRY,
    headers: { 'X-MCP-Toolsets': 'core', 'X-API-Key': 'scs_key' },
    trust: true
  })
  t.match(after, /\/\/ the old one\n {6}"url": "http:\/\/127.0.0.1:23456\/mcp", \/\/ moved\n/)
  t.equal(updateEntry('json', after, PATH, ENTRY), after, 'a second time changes nothing')
})

t.test('JSON: lists of hooks', async t => {
  const ours = (text: string) => hooksAt(text, path, hook => hook === 'ours')
  const path = ['hooks', 'Stop']
  for (const text of [
    '{\n  "hooks": {\n    "Stop": [\n      { "a": 1 }\n    ]\n  }\n}\n',
    '{"hooks":{"Stop":[{"a":1}]}}'
  ]) {
    const after = applyEdits(text, appendItem(text, path, { hooks: ['ours'] }))
    t.same(valueAt('json', after, path), [{ a: 1 }, { hooks: ['ours'] }])
    t.equal(removeHooks(after, path, ours(after)), text)
  }
  t.ok(refusalOf(() => appendItem('{"hooks":{"Stop":{}}}', path, 1)) instanceof Refused)
})

t.test('JSON: what it refuses', async t => {
  for (const [text, says] of [
    ['{"a": 1', /is damaged at line 1 \(CloseBraceExpected\)/],
    ['{\n"a": scs_secret\n}', /is damaged at line 2/],
    ['[1]', /holds no JSON object/],
    ['"text"', /holds no JSON object/],
    ['{"mcpServers": []}', /holds mcpServers, which is no object/],
    ['{"mcpServers": null}', /holds mcpServers, which is no object/],
    ['{"mcpServers": {}, "mcpServers": {}}', /holds "mcpServers" twice/],
    ['{} {}', /is damaged/]
  ] as const) {
    t.throws(() => insert(text), says, text)
    t.ok(refusalOf(() => insert(text)) instanceof Refused)
  }
  t.notMatch(
    (refusalOf(() => insert('{\n"a": scs_secret\n}')) as Error).message,
    'secret',
    'it tells nothing of the file'
  )
})

/** Any JSON with comments and commas, as text: a value, printed with what may stand between its parts. */
const noise = fc.constantFrom('', ' ', '\n', '\r\n', '\t', ' // note\n', '/* , } */', '\n  ')
const scalar = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.string())
const { jsonc } = fc.letrec<{ jsonc: string; object: string; array: string }>(tie => ({
  jsonc: fc.oneof(
    { depthSize: 'small' },
    scalar.map(value => JSON.stringify(value)),
    tie('object'),
    tie('array')
  ),
  object: fc
    .tuple(
      fc.uniqueArray(fc.tuple(fc.string({ maxLength: 6 }), tie('jsonc'), noise, noise), {
        selector: ([key]) => key,
        maxLength: 4
      }),
      fc.boolean(),
      noise
    )
    .map(
      ([pairs, isTrailing, end]) =>
        `{${pairs.map(([key, value, a, b]) => `${a}${JSON.stringify(key)}:${b}${value}${a}`).join(',')}` +
        `${isTrailing && pairs.length > 0 ? ',' : ''}${end}}`
    ),
  array: fc
    .tuple(fc.array(fc.tuple(tie('jsonc'), noise), { maxLength: 3 }), fc.boolean())
    .map(
      ([items, isTrailing]) =>
        `[${items.map(([item, a]) => `${a}${item}${a}`).join(',')}${isTrailing && items.length > 0 ? ',' : ''}]`
    )
}))
const servers = fc.tuple(
  noise,
  fc.uniqueArray(fc.tuple(fc.string({ maxLength: 6 }), jsonc, noise), { selector: ([k]) => k, maxLength: 3 }),
  fc.boolean(),
  noise
)
const document = fc
  .tuple(noise, jsonc, fc.option(servers), jsonc, fc.boolean(), noise)
  .map(([a, x, list, y, isTrailing, b]) => {
    const entries = list?.[1].map(([key, value, c]) => `${c}${JSON.stringify(key)}: ${value}${c}`).join(',')
    const inner =
      list === null
        ? ''
        : `"mcpServers":${list[0]}{${entries}` + `${list[2] && list[1].length > 0 ? ',' : ''}${list[3]}},${a}`
    return `${a}{${b}"x":${x},${b}${inner}"y":${y}${isTrailing ? ',' : ''}${b}}${b}`
  })

t.test('JSON: in any text, only the entry comes and goes', async t => {
  fc.assert(
    fc.property(document, text => {
      const edits = insertEntry('json', text, PATH, ENTRY)
      const after = applyEdits(text, edits)
      // insertEntry has compared the values; here, that every character is still there, in order.
      const isOnlyMore = edits.every(({ length }) => length === 0)
      const value = JSON.stringify(valueAt('json', after, PATH))
      const back = removeEntry('json', after, PATH)
      return (
        isOnlyMore &&
        value === JSON.stringify(ENTRY) &&
        valueAt('json', back, PATH) === undefined &&
        JSON.stringify(valueAt('json', back, ['x'])) === JSON.stringify(valueAt('json', text, ['x'])) &&
        JSON.stringify(valueAt('json', back, ['y'])) === JSON.stringify(valueAt('json', text, ['y']))
      )
    }),
    { numRuns: 300 }
  )
  t.pass()
})
