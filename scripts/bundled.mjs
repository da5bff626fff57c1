import { writeFileSync } from 'node:fs'

/** The folder of the package that a file lies in. */
const PACKAGE = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/

/**
 * Writes down which packages of node_modules a bundle holds code of: whoever passes the bundle on passes them on too.
 * @param metafile what esbuild says about the bundle
 * @param path of the list: their folders, as esbuild names them
 */
export function recordBundled(metafile, path) {
  const files = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []))
  )
  const folders = files.flatMap(file => PACKAGE.exec(file) ?? [])
  writeFileSync(path, `${JSON.stringify([...new Set(folders)].sort(), undefined, 2)}\n`)
}
