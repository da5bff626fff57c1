import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

// Bundles the page into a folder: node dashboard/build.mjs <folder>. It makes the folder if it is missing. Types are not
// looked at here, but by `npm run check`.
const here = fileURLToPath(new URL('.', import.meta.url))
const [folder] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
await build({
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
  logLevel: 'warning'
})
for (const file of ['index.html', 'icon.svg']) copyFileSync(join(here, file), join(folder, file))
