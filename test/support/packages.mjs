// The packages that the service loads are 1200 small modules. Loading them costs each test file more than a second of a
// core, so the tests load each package as one file, made by esbuild from the same code and kept in .tap/packages. Left
// out are tap, and packages that read files beside their own.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const NAMES = [
  'fastify',
  'fastify-plugin',
  '@fastify/cors',
  '@fastify/jwt',
  '@fastify/swagger',
  'pg',
  'pino',
  'prom-client',
  'negotiator',
  'fast-check',
  '@opentelemetry/api',
  '@opentelemetry/core',
  '@opentelemetry/exporter-metrics-otlp-http',
  '@opentelemetry/exporter-trace-otlp-http',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/sdk-trace-base',
  'kysely',
  '@sinclair/typebox',
  '@sinclair/typebox/compiler',
  'jose',
  'zod',
  '@modelcontextprotocol/client',
  '@modelcontextprotocol/client/ext/skills',
  '@modelcontextprotocol/client/stdio',
  '@modelcontextprotocol/server',
  '@modelcontextprotocol/server/ext/skills',
  '@modelcontextprotocol/server/stdio',
  '@modelcontextprotocol/sdk/client/auth.js',
  '@modelcontextprotocol/sdk/client/index.js',
  '@modelcontextprotocol/sdk/client/stdio.js',
  '@modelcontextprotocol/sdk/client/streamableHttp.js',
  '@modelcontextprotocol/sdk/server/index.js',
  '@modelcontextprotocol/sdk/shared/transport.js',
  '@modelcontextprotocol/sdk/types.js',
  '@modelcontextprotocol/sdk/validation/ajv'
]
const hash = createHash('sha256')
for (const maker of [join(root, 'package-lock.json'), import.meta.filename]) hash.update(readFileSync(maker))
const folder = join(root, '.tap', 'packages', hash.digest('hex').slice(0, 16))

const fileOf = (name, parent = folder) => join(parent, `${name.replaceAll('/', '+')}.js`)

/** The file that holds a package, by the name that modules import it by; empty before bundlePackages() ran. */
export const bundled = new Map(NAMES.map(name => [name, fileOf(name)]).filter(([, file]) => existsSync(file)))

/** Makes the files, once for what they are made from. Code that several of them need stays one module. */
export async function bundlePackages() {
  if (existsSync(folder)) return
  const { build } = await import('esbuild')
  const fresh = `${folder}.${process.pid}`
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(NAMES.map(name => [fileOf(name, '.').slice(0, -3), `entry:${name}`])),
    outdir: fresh,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // For packages of the older form, which need modules of Node.js.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
    plugins: [entries]
  })
  try {
    renameSync(fresh, folder)
  } catch (error) {
    // Another run was faster.
    if (!existsSync(folder)) throw error
  }
}

/** esbuild gives a CommonJS package no named exports, so each package is entered by a module that names them. */
const entries = {
  name: 'entries',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice('entry:'.length), namespace: 'entry' }))
    onLoad({ filter: /.*/, namespace: 'entry' }, async ({ path }) => {
      const exported = Object.keys(await import(path))
      const names = exported.filter(name => !['default', 'module.exports', '__esModule'].includes(name))
      return {
        resolveDir: root,
        contents:
          (names.length > 0 ? `export { ${names.join(', ')} } from '${path}'\n` : '') +
          (exported.includes('default') ? `export { default } from '${path}'` : '')
      }
    })
  }
}
