import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { TextArgument } from '../../src/kernel/text-arguments.js'
import { KIND_NAMES } from '../../src/redaction/kinds.js'
import { redactorOf } from '../../src/redaction/redactor.js'
import type { Redact, Redacted } from '../../src/kernel/text-arguments.js'
import { ROOT } from '../helper.js'
import { ORDINARY } from './ordinary.js'
import { SECRETS } from './secrets.js'

/** What counts as a secret, and what does not. */

const TEXTS: TextArgument[] = [{ name: 'content' }]
const mask = redactorOf('mask') as Redact
const masked = (content: unknown): Redacted | undefined => mask({ content, other: content }, TEXTS)

t.test('every kind has its examples, and is in the list of the page for operators', async t => {
  t.same(Object.keys(SECRETS).sort(), [...KIND_NAMES].sort())
  const page = await readFile(join(ROOT, 'docs', 'operations.md'), 'utf8')
  for (const kind of KIND_NAMES) t.match(page, `\`${kind}\``)
})

for (const [kind, examples] of Object.entries(SECRETS))
  t.test(`${kind} is found wherever it stands, and replaced as a whole`, async t => {
    for (const [text, secret] of examples) {
      for (const [before, after] of [
        ['', ''],
        ['see ', ' and so on'],
        ['"', '"'],
        ['\n', '\n'],
        ['(', ')'],
        ['key=', '&more=1'],
        ['Ключ: ', '。']
      ] as const) {
        const content = `${before}${text}${after}`
        const found = masked(content)
        t.same(found?.audit, { redaction: 'mask', secrets: { [kind]: 1 } }, content)
        const result = found?.input.content as string
        t.notOk(result.includes(secret), `${result} holds no part of it`)
        t.match(result, `[redacted:${kind}]`)
        t.ok(result.startsWith(before) && result.endsWith(after), `${result} keeps what stands around it`)
        t.equal(found?.input.other, content, 'what is no text of an agent stays')
        t.equal(masked(result), undefined, 'a mask is no secret')
      }
    }
  })

t.test('two secrets in one text, side by side and of one kind', async t => {
  const [[key = ''] = []] = SECRETS.aws_key as Array<[string, string]>
  const found = masked(`${key} ${key},${key}\n${SECRETS.jwt?.[0]?.[0]}`)
  t.same(found?.audit.secrets, { aws_key: 3, jwt: 1 })
  t.equal(found?.input.content, '[redacted:aws_key] [redacted:aws_key],[redacted:aws_key]\n[redacted:jwt]')
})

t.test('a private key that is cut off, and two with something between them', async t => {
  const [[key = ''] = []] = SECRETS.private_key as Array<[string, string]>
  const cut = key.split('\n').slice(0, 2).join('\n')
  t.equal(masked(`a\n${cut}\nHere it ends.`)?.input.content, 'a\n[redacted:private_key]\nHere it ends.')
  t.equal(masked(`${key} and ${key}`)?.input.content, '[redacted:private_key] and [redacted:private_key]')
  t.equal(masked(`${cut}\n${key}`)?.input.content, '[redacted:private_key]\n[redacted:private_key]')
})

t.test('in values and names of JSON, at any depth; what holds none stays the same', async t => {
  const [[token = ''] = []] = SECRETS.github_token as Array<[string, string]>
  const plain = { list: [1, null, true, 'text'], inner: {} }
  const value = { a: [{ b: token }, plain], [token]: 1, [`${token}x`]: 2, n: 5 }
  const result = masked(value)?.input.content as any
  t.same(result, {
    a: [{ b: '[redacted:github_token]' }, plain],
    '[redacted:github_token]': 1,
    '[redacted:github_token] 2': 2,
    n: 5
  })
  t.equal(result.a[1], plain)
  t.equal(masked(plain), undefined)
  const odd = JSON.parse(`{"__proto__": {"a": 1}, "b": "${token}"}`)
  t.equal(JSON.stringify(masked(odd)?.input.content), '{"__proto__":{"a":1},"b":"[redacted:github_token]"}')
})

t.test('after a line end or a tab as a string of JSON has it', async t => {
  for (const [kind, texts] of Object.entries(SECRETS))
    for (const [text, secret] of texts) {
      const pasted = JSON.stringify({ file: `first\n${text}\n\t${text}` })
      t.notMatch(masked(pasted)?.input.content, JSON.stringify(secret).slice(1, -1), kind)
    }
})

t.test('a private key that is cut off, as old ones begin and as one is quoted', async t => {
  const begin = ['-----BEGIN RSA ', 'PRIVATE KEY-----'].join('')
  const line = 'Ab3dEf6h'.repeat(8)
  for (const text of [
    `${begin}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n\n${line}\n${line}`,
    `> ${begin}\n> ${line}\n> ${line}`
  ])
    t.match(masked(text)?.input.content, /^(> )?\[redacted:private_key\]$/)
})

t.test('with characters that nobody sees between any two of its own', async t => {
  // A zero-width space, a soft hyphen, a byte order mark, a variation selector, and two at once.
  for (const unseen of ['\u200b', '\u00ad', '\ufeff', '\ufe0f', '\u2060\u{e0041}'])
    for (const [kind, texts] of Object.entries(SECRETS))
      for (const [text, secret] of texts) {
        const hidden = text.replace(secret, [...secret].join(unseen))
        t.equal(masked(hidden)?.input.content, masked(text)?.input.content, `${kind} ${JSON.stringify(unseen)}`)
      }
})

t.test('such characters stay where they do not hide a secret', async t => {
  const [[token = ''] = []] = SECRETS.github_token as Array<[string, string]>
  // Families of emoji and words of Persian are joined, and words of German parted, by characters that nobody sees.
  const text = '👩‍👩‍👧 می‌خواهم ❤️ 1️⃣ ghp_'
  t.equal(masked(`${text} ${token}`)?.input.content, `${text} [redacted:github_token]`)
  t.equal(masked(`${text} Donau\u00addampf\u00adschiff https://a:8080/\u200bpath`), undefined)
})

const CONTEXTS = [
  ['', ''],
  ['see ', ', and so on'],
  ['"', '"'],
  ['(', ')'],
  ['a=', '&b'],
  ['', '|me@my-company.org']
]

for (const [what, texts] of Object.entries(ORDINARY))
  t.test(`no secrets: ${what}`, async t => {
    for (const text of texts)
      for (const [before, after] of CONTEXTS) {
        const content = `${before}${text}${after}`
        t.same(masked(content)?.audit.secrets, undefined, content.slice(0, 90))
      }
  })

t.test('what people and agents write about secrets is none', async t => {
  for (const content of [
    '',
    'Use the header Authorization: Bearer <token>, or Bearer authentication-of-your-service.',
    'postgres://user:password@localhost:5432/db and postgres://user:${PASSWORD}@host and https://a:****@b.org',
    'The prefixes are ghp_, AKIA, xoxb-, sk-ant- and eyJ.',
    'session_0123456789abcdef task_0123456789abcdef key_0123456789abcdef',
    'commit 1b1a98d3f0c2e4a5968778695a4b3c2d1e0f1a2b; sha256:' + '0123456789abcdef'.repeat(4),
    '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    'What does -----BEGIN PRIVATE KEY----- mean? Nothing by itself.',
    '-----BEGIN PUBLIC KEY-----\n' + 'Ab3dEf6h'.repeat(8) + '\n-----END PUBLIC KEY-----',
    'data:image/png;base64,' + 'iVBORw0KGgoAAAANSUhEUg'.repeat(20),
    'http://localhost:8080/a:b@c and mailto:someone@my-company.org',
    'risk_test_of_the_whole_service_by_everybody',
    'sk-learn-pipelines and dapi, hvs.enabled=true, AccessKey=none, r8_dialect and xai-models',
    'The word flask-proj-of-the-whole-company-and-more is no key.'
  ])
    t.equal(masked(content), undefined, content.slice(0, 60))
})

t.test('report changes nothing, and tells the same', async t => {
  const report = redactorOf('report') as Redact
  const [[token = ''] = []] = SECRETS.github_token as Array<[string, string]>
  const input = { content: token }
  const found = report(input, TEXTS)
  t.equal(found?.input, input)
  t.same(found?.audit, { redaction: 'report', secrets: { github_token: 1 } })
  t.match(found?.warnings, [
    /^The argument 'content' holds what looks like a token of GitHub\. It was stored as it is\./
  ])
  t.equal(redactorOf('off'), undefined)
})

t.test('warnings name the argument, are few, and never say the secret', async t => {
  const texts: TextArgument[] = [{ name: 'messages', items: [{ name: 'content' }] }]
  const [[token = ''] = []] = SECRETS.github_token as Array<[string, string]>
  const found = mask({ messages: Array.from({ length: 20 }, () => ({ content: token })) }, texts)
  t.equal(found?.audit.secrets.github_token, 20)
  t.equal(found?.warnings.length, 6)
  t.match(found?.warnings[1], /^The argument 'messages\/1\/content' holds .* replaced before it was stored/)
  t.equal(found?.warnings[5], 'The same holds for 15 more.')
  t.notMatch(JSON.stringify(found?.warnings), token)
})
