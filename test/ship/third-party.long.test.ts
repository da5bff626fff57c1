import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { compiled, ROOT } from '../helper.js'
import { temporaryFolder } from '../support/own-server.js'
import { bundledPackages, text } from './files.js'

/**
 * Which packages ship, how many they are, and under which licences: held against package-lock.json and node_modules.
 */

interface Locked {
  version: string
  license: string
  dev?: boolean
  optional?: boolean
}
interface Component {
  'bom-ref': string
  purl: string
  scope: string
  hashes: Array<{ alg: string }>
  licenses: Array<{ license: { id: string } }>
  properties: Array<{ name: string }>
}
interface Bill {
  specVersion: string
  components: Component[]
  dependencies: Array<{ ref: string; dependsOn: string[] }>
}

/** They ask that their text goes along, if anything: no more of those who pass the program on or change it. */
const ALLOWED = [
  ...['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'],
  // Its author gives all rights away.
  'Unlicense'
]

const locked = Object.entries((JSON.parse(text('package-lock.json')) as { packages: Record<string, Locked> }).packages)
const nameOf = (location: string) => location.replace(/^.*node_modules\//, '')
const refOf = ([location, { version }]: readonly [string, Pick<Locked, 'version'>]) => `${nameOf(location)}@${version}`
const installed = locked.filter(([location, { dev }]) => location !== '' && dev !== true)
const bundled = bundledPackages().map(
  name => locked.find(([location]) => location === `node_modules/${name}`) as [string, Locked]
)

t.test('at most 199 packages are dependencies, without OpenTelemetry, which is optional', async t => {
  const counted = installed.filter(
    ([location, { optional }]) => !(optional === true && nameOf(location).startsWith('@opentelemetry/'))
  )
  t.comment(`${counted.length} dependencies, and ${bundled.length} bundled packages`)
  t.ok(counted.length + bundled.length <= 199, `${counted.length} + ${bundled.length}`)
  t.ok(installed.length > counted.length, 'OpenTelemetry was found')
})

t.test('the bundles name the packages that they hold', async t => {
  const folder = dirname(compiled())
  // The bundler writes where each part came from.
  const sources = readdirSync(folder).flatMap(name =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(/^\/\/ (node_modules\/.*)$/gm)].map(
      ([, path = '']) => /^(?:.*node_modules\/)((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]
    )
  )
  const held = JSON.parse(readFileSync(join(dirname(folder), 'bundled.json'), 'utf8')) as string[]
  t.same([...new Set(sources)].sort(), held.map(nameOf).sort())
  for (const name of ['kysely', 'preact']) t.ok(bundledPackages().includes(name), name)
})

t.test('the list of packages and that of licences name what ships, and nothing else', async t => {
  const dist = await temporaryFolder(t)
  for (const name of ['bundled.json', 'bundled-page.json'])
    cpSync(join(dirname(dirname(compiled())), name), join(dist, name))
  const make = () => {
    execFileSync(process.execPath, [join(ROOT, 'scripts', 'sbom.mjs'), dist])
    return readFileSync(join(dist, 'sbom.cdx.json'), 'utf8')
  }
  const first = make()
  t.equal(make(), first, 'of the same packages the same file')
  const bill = JSON.parse(first) as Bill
  const expected = [...new Set([...installed, ...bundled].map(refOf))].sort()
  t.equal(bill.specVersion, '1.5')
  t.same(bill.components.map(component => component['bom-ref']).sort(), expected)

  const marked = bill.components.filter(({ properties }) =>
    properties.some(({ name }) => name === 'cdx:npm:package:bundled')
  )
  t.same(marked.map(component => component['bom-ref']).sort(), bundled.map(refOf).sort())
  for (const component of bill.components) {
    t.match(component.hashes, [{ alg: 'SHA-512' }], component['bom-ref'])
    t.notOk(component.properties.some(({ name }) => name === 'cdx:npm:package:development'))
  }
  const self = `shared-context-server@${manifestOf('.').version}`
  const known = [...expected, self].sort()
  t.same(bill.dependencies.map(({ ref }) => ref).sort(), known)
  const reached = new Set<string>()
  const reach = (ref: string): void => {
    if (reached.has(ref)) return
    reached.add(ref)
    for (const to of bill.dependencies.find(one => one.ref === ref)?.dependsOn ?? []) reach(to)
  }
  reach(self)
  t.same([...reached].sort(), known, 'the service needs each of them')

  const notices = readFileSync(join(dist, 'THIRD-PARTY-NOTICES.md'), 'utf8')
  const rows = [...notices.matchAll(/^\| (\S+) \| (\S+) \| (\S+) \| (bundled|installed) \|$/gm)]
  t.same([...new Set(rows.map(([, name, version]) => `${name}@${version}`))].sort(), expected)
  for (const [, name = '', , licence = '', how] of rows) {
    t.ok(ALLOWED.includes(licence), `${name} is under ${licence}`)
    t.equal(how === 'bundled', bundledPackages().includes(name), name)
  }
  for (const [location] of bundled) {
    const [file] = readdirSync(join(ROOT, location)).filter(name => /^licen[sc]e/i.test(name))
    const licence = rows.find(([, name]) => name === nameOf(location))?.[3]
    if (file !== undefined) t.ok(notices.includes(text(join(location, file)).trim()), `the licence of ${location}`)
    // It asks for nothing.
    else t.equal(licence, 'Unlicense', location)
  }
})

t.test('what is installed here says the same of itself', async t => {
  for (const [location, { version, license, optional }] of [...installed, ...bundled]) {
    const manifest = manifestOf(location)
    // Of another platform.
    if (manifest.version === undefined && optional === true) continue
    t.match(manifest, { version, license }, location)
  }
})

function manifestOf(location: string): { version: string; license?: string } {
  try {
    return JSON.parse(text(join(location, 'package.json')))
  } catch {
    return {} as { version: string }
  }
}
