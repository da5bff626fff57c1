import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))

/**
 * Bundles the page into a folder: three files, and the icon. Types are not looked at here, but by `npm run check`.
 * @param {string} folder where to; it is made if it is missing
 */
export async function buildPage(folder) {
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
    legalComments: 'none',
    logLevel: 'warning'
  })
  for (const file of ['index.html', 'icon.svg']) copyFileSync(join(here, file), join(folder, file))
}
