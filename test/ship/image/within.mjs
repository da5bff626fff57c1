import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

// Runs inside the image, by `node --input-type=module` from standard input, and so uses nothing but Node. It prints, as
// JSON, where the image's user may write, which packages are installed, and which ones the lists of them name.

const writable = []
const installed = new Set()

function tryToWrite(folder) {
  try {
    writeFileSync(`${folder}/.tried`, '')
    rmSync(`${folder}/.tried`)
    writable.push(folder)
  } catch {
    // It may not.
  }
}

/** Into every folder that can be read. */
function walk(folder) {
  tryToWrite(folder)
  let entries = []
  try {
    entries = readdirSync(folder === '' ? '/' : folder, { withFileTypes: true })
  } catch {
    // Only root may look into it.
  }
  for (const entry of entries)
    // These are the system's own, which no container is without.
    if (entry.isDirectory() && !(folder === '' && ['proc', 'sys', 'dev'].includes(entry.name)))
      walk(`${folder}/${entry.name}`)
}

function find(folder) {
  for (const name of readdirSync(folder).filter(name => !name.startsWith('.'))) {
    const at = `${folder}/${name}`
    if (name.startsWith('@')) find(at)
    else {
      const { name, version } = JSON.parse(readFileSync(`${at}/package.json`, 'utf8'))
      installed.add(`${name}@${version}`)
      if (existsSync(`${at}/node_modules`)) find(`${at}/node_modules`)
    }
  }
}

walk('')
find('/app/node_modules')
const { components } = JSON.parse(readFileSync('/app/dist/sbom.cdx.json', 'utf8'))
const notices = readFileSync('/app/dist/THIRD-PARTY-NOTICES.md', 'utf8')
const isBundled = ({ properties }) => properties.some(({ name }) => name === 'cdx:npm:package:bundled')
const refs = some => some.map(component => component['bom-ref']).sort()
const rows = [...notices.matchAll(/^\| (\S+) \| (\S+) \| (.*) \| (?:bundled|installed) \|$/gm)]
console.log(
  JSON.stringify({
    writable,
    installed: [...installed].sort(),
    named: refs(components.filter(component => !isBundled(component))),
    bundled: refs(components.filter(isBundled)),
    noticed: [...new Set(rows.map(([, name, version]) => `${name}@${version}`))].sort(),
    licences: [...new Set(rows.map(([, , , licence]) => licence))].sort()
  })
)
