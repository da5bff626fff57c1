import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { recordBundled } from '../scripts/bundled.mjs'

// Bundles the page into a folder: node dashboard/build.mjs <folder>. It makes the folder if it is missing. Types are not
// looked at here, but by `npm run check`.
const here = fileURLToPath(new URL('.', import.meta.url))
const [folder] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
const { metafile } = await build({
  entryPoints: { page: join(here, 'src', 'main.tsx') },
  outdir: folder,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  // The virtual list is written for React.
  alias: { react: 'preact/compat', 'react-dom': 'preact/compat', 'react/jsx-runtime': 'preact/jsx-runtime' },
  metafile: true,
  logLevel: 'warning'
})
// Not in the folder, whose files everybody may fetch.
recordBundled(metafile, join(folder, '..', 'bundled-page.json'))
for (const file of ['index.html', 'icon.svg']) copyFileSync(join(here, file), join(folder, file))
