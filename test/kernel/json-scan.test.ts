import fc from 'fast-check'
import t from 'tap'
import { canonicalJson } from '../../src/kernel/json.js'
import { JSON_FIELDS_MAX, JSON_VALUES_MAX, JsonScan } from '../../src/kernel/json-scan.js'

/** What is counted of a text of JSON before it is parsed. */

function count(value: unknown): number {
  return typeof value === 'object' && value !== null
    ? Object.values(value).reduce((sum: number, inner) => sum + count(inner), 1)
    : 1
}

function scanned(text: string, piece: number): JsonScan {
  const scan = new JsonScan()
  const bytes = Buffer.from(text)
  for (let i = 0; i < bytes.length; i += piece) scan.feed(bytes.subarray(i, i + piece), 'The text')
  return scan
}

t.test('values are counted exactly, however the bytes arrive', async t => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.integer({ min: 1, max: 50 }),
      fc.constantFrom(0, 2),
      (value, piece, indent) => scanned(JSON.stringify(value, null, indent), piece).values === count(value)
    )
  )
  for (const text of [
    '"[{,}]"',
    '"\\"[,"',
    `"${'x'.repeat(100)}\\"${'y'.repeat(5000)}\\\\"`,
    '[ \n]',
    '{"a,b":[{},[]]}'
  ]) {
    for (const piece of [1, 3, 64, 10_000])
      t.equal(scanned(text, piece).values, count(JSON.parse(text)), text.slice(0, 20))
  }
})

t.test('what goes too far', async t => {
  t.throws(() => scanned('['.repeat(100), 7), { code: 'INVALID_INPUT' })
  t.throws(() => scanned(`[${'{},'.repeat(JSON_VALUES_MAX)}`, 1000), { code: 'PAYLOAD_TOO_LARGE' })
  t.doesNotThrow(
    () => scanned(`["${'['.repeat(100_000)}${'{},'.repeat(JSON_VALUES_MAX)}"]`, 1000),
    'in a string it is text'
  )
})

t.test('names of fields are counted, those inside of strings are not', async t => {
  const fields = (count: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`a:${i}`, ':'])))
  t.doesNotThrow(() => scanned(fields(JSON_FIELDS_MAX), 7))
  t.throws(() => scanned(fields(JSON_FIELDS_MAX + 1), 7), { code: 'PAYLOAD_TOO_LARGE' })
})

t.test('an integer that a double does not hold becomes Infinity, wherever it is cut', async t => {
  const parsed = (text: string, piece: number): unknown => {
    const scan = scanned(text, piece)
    const bytes = Buffer.from(text)
    scan.markInexact(bytes)
    return JSON.parse(bytes.toString())
  }
  const isKept = (digits: string) =>
    String(Number(digits)) === digits || (Number(digits) < Infinity && BigInt(Number(digits)) === BigInt(digits))
  fc.assert(
    fc.property(
      fc.bigInt({ min: 10n ** 14n, max: 10n ** 40n }),
      fc.boolean(),
      fc.integer({ min: 1, max: 60 }),
      (integer, negative, piece) => {
        const text = `${negative ? '-' : ''}${integer}`
        const [value] = (parsed(`["${integer}", {"a": ${text}}]`, piece) as unknown[]).slice(1) as [{ a: number }]
        return isKept(String(integer)) ? value.a === Number(text) : value.a === Infinity
      }
    ),
    { numRuns: 2000 }
  )
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: 1, max: 30 }), (value, piece) =>
      Object.is((parsed(JSON.stringify([value]), piece) as number[])[0], value === 0 ? 0 : value)
    ),
    { numRuns: 2000 }
  )
  for (const text of ['9007199254740992', '1e20', '1.5e16', '15000000000000000', '0.12345678901234567890', '1e-400'])
    t.equal((parsed(`[${text}]`, 5) as number[])[0], Number(text), text)
  for (const text of ['9007199254740993', '-9007199254740993', '9007199254740993.000', '1e999', '9'.repeat(5000)])
    t.equal(Math.abs((parsed(`[${text}]`, 5) as number[])[0] as number), Infinity, text.slice(0, 30))
  t.same(parsed('["9007199254740993"]', 3), ['9007199254740993'], 'in a string it is text')
  t.equal(parsed('9007199254740993', 4), Infinity, 'at the end of all')
})

t.test('equal values have one text, the one that kept hashes were made of', async t => {
  const copied = (value: unknown): string =>
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner
    )
  fc.assert(fc.property(fc.jsonValue(), value => canonicalJson(value) === copied(value)))
  for (const value of [
    { b: 1, a: { 10: 1, 9: 2, x: 3, '01': 4 } },
    { 4294967295: 1, 4294967294: 2, '-1': 3 },
    [undefined, { a: undefined, b: 1 }],
    JSON.parse('{"b":{"__proto__":{}},"__proto__":1}')
  ])
    t.equal(canonicalJson(value), copied(value))
})
