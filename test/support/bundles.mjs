// A test that starts the service loads some 500 modules of ours. One by one they cost a second of a core in each
// process, so a test file and whatever it imports of this repository is compiled to one module, kept in .tap/bundles
// until one of its sources changes. Packages are imported as ever.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, extname, join, relative, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { replaceFile } from './replace-file.mjs'

const root = join(import.meta.dirname, '..', '..')
const kept = join(root, '.tap', 'bundles')
const packages = join(root, 'node_modules')
/** So many together take a third of the time that they take one by one. More of them would only take more memory. */
const TOGETHER = 32

/** What makes bundles, and which esbuild: a change of these makes all of them anew. */
const MAKERS = ['tsconfig.json', 'package-lock.json', relative(root, import.meta.filename)]

export const isTest = name => /\.(test|page)\.ts$/.test(name)

/** The compiled text of a test file, with everything of ours that it imports. */
export async function bundleOf(path) {
  const code = fresh(path)
  if (code !== undefined) return code
  await bundle([path])
  return fresh(path) ?? bundleOf(path)
}

const fileOf = path => `${join(kept, relative(root, path))}.js`
const testOf = file => join(root, relative(kept, file).slice(0, -'.js'.length))

/** The text that was kept, unless a source is another one now. */
function fresh(path) {
  try {
    const { sources, code } = JSON.parse(readFileSync(fileOf(path), 'utf8'))
    return sources.every(([source, mark]) => markOf(source) === mark) ? code : undefined
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

const markOf = source => {
  const { mtimeMs, size } = statSync(join(root, source))
  return `${mtimeMs} ${size}`
}

async function bundle(paths) {
  const { build } = await import('esbuild')
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: paths.map(path => ({ in: path, out: relative(root, path) })),
    outdir: kept,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    write: false,
    logLevel: 'error',
    plugins: [ownPlaces]
  })
  for (const { path, text } of outputFiles) {
    if (path.endsWith('.map')) {
      replaceFile(path, text)
      continue
    }
    // The module keeps the place of the test, and Node.js looks for the map from there.
    const map = relative(dirname(testOf(path)), `${path}.map`)
      .split(sep)
      .join('/')
    const code = text.replace(/\/\/# sourceMappingURL=.*\s*$/, `//# sourceMappingURL=${map}`)
    const { inputs } = metafile.outputs[relative(root, path)]
    const sources = [...MAKERS, ...Object.keys(inputs)].map(source => [source, markOf(source)])
    replaceFile(path, JSON.stringify({ sources, code }))
  }
}

/** In a bundle, `import.meta` would tell of the bundle: each module gets its own place in its text. */
const ownPlaces = {
  name: 'own-places',
  setup({ onLoad }) {
    onLoad({ filter: /\.(ts|mts|js|mjs)$/ }, ({ path }) => {
      if (path.startsWith(packages)) return undefined
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.filename', JSON.stringify(path))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
      return { contents, loader: extname(path).endsWith('ts') ? 'ts' : 'js' }
    })
  }
}

// Before a whole run: `node test/support/bundles.mjs`. A single file is compiled when it is run.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const tests = readdirSync(join(root, 'test'), { recursive: true }).filter(isTest)
  const stale = tests.map(name => join(root, 'test', name)).filter(path => fresh(path) === undefined)
  while (stale.length > 0) await bundle(stale.splice(0, TOGETHER))
}
