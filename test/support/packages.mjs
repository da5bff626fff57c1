// kysely and TypeBox are 450 small modules, and the MCP packages bring two hundred more. Loading them costs each test
// file a second of a core, so the tests load each as one file, made by esbuild from the same code and kept in
// .tap/packages.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const NAMES = [
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
const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')))
const folder = join(root, '.tap', 'packages', lock.update(NAMES.join()).digest('hex').slice(0, 16))

const fileOf = (name, parent = folder) => join(parent, `${name.replaceAll('/', '+')}.js`)

/** The file that holds a package, by the name that modules import it by; empty before bundlePackages() ran. */
export const bundled = new Map(NAMES.map(name => [name, fileOf(name)]).filter(([, file]) => existsSync(file)))

/** Makes the files, once for a package-lock.json. Code that several of them need stays one module. */
export async function bundlePackages() {
  if (existsSync(folder)) return
  const { build } = await import('esbuild')
  const fresh = `${folder}.${process.pid}`
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(NAMES.map(name => [fileOf(name, '.').slice(0, -3), name])),
    outdir: fresh,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // For packages of the older form, which need modules of Node.js.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error'
  })
  try {
    renameSync(fresh, folder)
  } catch (error) {
    // Another run was faster.
    if (!existsSync(folder)) throw error
  }
}
