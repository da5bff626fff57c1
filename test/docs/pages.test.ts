import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { test } from 'tap'
import { PAGES, read, render } from '../../scripts/docs.js'
import { variables } from '../../src/config/config.js'
import { type ErrorCode, errorKinds } from '../../src/kernel/errors.js'
import { takesIdempotencyKey } from '../../src/kernel/tool.js'
import { tools } from '../support/tools.js'
import { ROOT } from '../helper.js'

const DECISIONS = readdirSync(join(ROOT, 'docs/adr')).filter(name => name !== 'README.md')
/** Every page but what the benchmarks write. */
const WRITTEN = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'bench/README.md',
  'clients/typescript/README.md',
  'examples/python/README.md',
  'clients/python/README.md',
  'clients/claude-code-plugin/README.md',
  'AGENTS.md',
  ...DECISIONS.map(name => `docs/adr/${name}`),
  'docs/adr/README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`)
]

for (const page of PAGES) {
  test(`${page} is what npm run docs writes`, async t => {
    const current = read(page)
    t.ok(render(page, current) === current, `${page} is out of date: run npm run docs`)
  })
}

test('every variable and every tool is in its table, every code in its page', async t => {
  const [configuration, toolsPage, troubleshooting] = PAGES.map(read) as [string, string, string]
  for (const { name } of variables) t.ok(configuration.includes(`\n| \`${name}\` |`), name)
  for (const { name } of tools) t.ok(toolsPage.includes(`\n## ${name}\n`), name)
  const described = [...troubleshooting.matchAll(/^### (\S+)$/gm)].map(([, code]) => code)
  t.same([...described].sort(), Object.keys(errorKinds).sort(), 'one section for each code, and none for others')
})

test('each error code has advice written by hand', async t => {
  const page = read('docs/troubleshooting.md')
  for (const code of Object.keys(errorKinds) as ErrorCode[]) {
    const [, advice = ''] = new RegExp(`<!-- /${code} -->([^]*?)(?=\n### |$)`).exec(page) ?? []
    t.match(advice, /\*\*Client:\*\* \S/, `${code} says what a client should do`)
    if (errorKinds[code].status >= 500)
      t.match(advice, /\*\*Operator:\*\* \S/, `${code} says what an operator should do`)
  }
})

test('links between the pages lead somewhere', async t => {
  for (const path of WRITTEN) {
    for (const [, target = ''] of page(path).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      const [to = '', anchor] = target.split('#')
      const file = to === '' ? join(ROOT, path) : resolve(ROOT, dirname(path), to)
      if (!existsSync(file)) {
        t.fail(`${path} links to ${target}, which is not there`)
        continue
      }
      if (anchor !== undefined) t.ok(anchors(readFileSync(file, 'utf8')).has(anchor), `${path} → ${target}`)
    }
  }
})

function page(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
test('every decision is in the index, and short', async t => {
  const index = readFileSync(join(ROOT, 'docs/adr/README.md'), 'utf8')
  for (const name of DECISIONS) {
    t.match(index, `](${name})`, name)
    t.ok(readFileSync(join(ROOT, 'docs/adr', name), 'utf8').split('\n').length <= 56, `${name} has at most 55 lines`)
  }
})

function anchors(markdown: string): Set<string> {
  return new Set(
    [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-')
    )
  )
}

test('the client configurations are JSON with our address', async t => {
  const blocks = [...page('docs/integration.md').matchAll(/^```json\n([^]*?)^```$/gm)].map(
    ([, json = '']) => JSON.parse(json) as Record<string, unknown>
  )
  t.ok(blocks.length >= 6)
  for (const block of blocks) {
    const server =
      (Object.values((block.mcpServers ?? block.servers) as object) as Array<Record<string, unknown>>)[0] ?? {}
    t.match(
      server.url ?? server.httpUrl ?? (server.args as string[]).at(-1),
      /^(http:\/\/127\.0\.0\.1:23456\/mcp|mcp)$/
    )
  }
})

test('the Python client repeats what may be repeated', async t => {
  const client = readFileSync(join(ROOT, 'examples/python/small_client.py'), 'utf8')
  const set = (name: string) =>
    [...(new RegExp(`^${name} = \\{([^}]*)\\}`, 'm').exec(client)?.[1] ?? '').matchAll(/"(\w+)"/g)]
      .map(([, word]) => word)
      .sort()
  t.same(
    set('WRITES'),
    tools
      .filter(takesIdempotencyKey)
      .map(tool => tool.name)
      .sort()
  )
  t.same(
    set('PASSING'),
    Object.entries(errorKinds)
      .filter(([, { retry_after }]) => retry_after !== undefined)
      .map(([code]) => code)
      .sort()
  )
})
