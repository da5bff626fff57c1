import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { recordBundled } from './bundled.mjs'

// Compiles the service into a folder: node scripts/bundle.mjs <folder>. Hundreds of modules become a few files, which
// load faster: a start takes a third less time (`npm run bench -- --only cold-start`). With --files each module stays a
// file, so that a profile names them. Types are not looked at here, but by `npm run check`.
const root = fileURLToPath(new URL('..', import.meta.url))
const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const [folder, files] = process.argv.slice(2)
const { metafile } = await build({
  ...(files === '--files'
    ? {
        entryPoints: ['src/**/*.ts', 'clients/typescript/src/**/*.ts', 'migrations/*.ts'].map(name => join(root, name))
      }
    : {
        entryPoints: [join(root, 'src/cli.ts')],
        bundle: true,
        // What only one command needs is loaded when that runs.
        splitting: true,
        chunkNames: 'src/[name]-[hash]',
        external: Object.keys({ ...dependencies, ...optionalDependencies })
      }),
  outdir: folder,
  outbase: root,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  tsconfig: join(root, 'tsconfig.json'),
  metafile: true,
  logLevel: 'warning'
})
recordBundled(metafile, join(folder, 'bundled.json'))
