import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { notices } from './notices.mjs'

// Says what ships: node scripts/sbom.mjs <dist> [<production>]. Beside the bundles in <dist> it writes sbom.cdx.json, in
// CycloneDX 1.5, and THIRD-PARTY-NOTICES.md. Both name each package that is installed with the service, and each one
// that a bundle holds code of. <production> is a folder whose node_modules is what ships; without it, whatever
// production may install counts, on any platform.
const root = fileURLToPath(new URL('..', import.meta.url))
const json = path => JSON.parse(readFileSync(path, 'utf8'))

const [dist, production] = process.argv.slice(2)
const manifest = json(join(root, 'package.json'))
const { packages } = json(join(root, 'package-lock.json'))
const bundled = new Set(
  readdirSync(dist)
    .filter(name => /^bundled.*\.json$/.test(name))
    .flatMap(name => json(join(dist, name)))
)
const installed = location =>
  location.startsWith('node_modules/') &&
  !packages[location].dev &&
  (production === undefined || existsSync(join(production, location)))

/** What ships, by its place in package-lock.json. */
const shipped = Object.keys(packages)
  .filter(location => bundled.has(location) || installed(location))
  .map(location => {
    const { name = location.replace(/^.*node_modules\//, ''), version } = packages[location]
    return { location, name, version, license: packages[location].license, isBundled: bundled.has(location) }
  })
const refs = new Set(shipped.map(({ name, version }) => `${name}@${version}`))
const self = `${manifest.name}@${manifest.version}`
const isShipped = ref => refs.has(ref) || ref === self
/** What the service itself asks for, apart from its development. */
const asked = new Set([
  ...Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }),
  ...shipped.filter(({ isBundled }) => isBundled).map(({ name }) => name)
])
const isAsked = ref => asked.has(ref.slice(0, ref.lastIndexOf('@')))

// Of all packages, filtered here: with --omit=dev, npm leaves out whatever development needs as well, such as zod.
const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only']
const shell = process.platform === 'win32'
const bill = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 27, shell }))
// Of the same packages the same file, whenever it is made.
delete bill.serialNumber
delete bill.metadata.timestamp
// npm names it after the folder.
bill.metadata.component.name = manifest.name
bill.components = bill.components.filter(component => isShipped(component['bom-ref']))
for (const component of bill.components) {
  const places = shipped.filter(({ name, version }) => `${name}@${version}` === component['bom-ref'])
  // npm takes what is bundled for development, and of a package in two places it knows the first one only.
  component.scope = places.every(({ location }) => packages[location].optional) ? 'optional' : 'required'
  component.properties = places.every(({ isBundled }) => isBundled)
    ? [{ name: 'cdx:npm:package:bundled', value: 'true' }]
    : []
}
bill.dependencies = bill.dependencies.filter(({ ref }) => isShipped(ref))
for (const dependency of bill.dependencies)
  dependency.dependsOn = dependency.dependsOn.filter(to => isShipped(to) && (dependency.ref !== self || isAsked(to)))

writeFileSync(join(dist, 'sbom.cdx.json'), `${JSON.stringify(bill, undefined, 2)}\n`)
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.md'), notices(root, manifest, shipped))
