import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { parse, stringify } from 'yaml'
import { ROOT } from '../helper.js'
import { documents, onPath, text, yaml } from './files.js'

/** The pieces of YAML that docs/operations.md shows: overlays of k8s/, and values of the chart. */

const blocks = [...text('docs/operations.md').matchAll(/^```yaml\n([^]*?)^```$/gm)].map(
  ([, block = '']) => parse(block) as Record<string, any>
)
const overlays = blocks.filter(block => 'patches' in block)

test('the values are those of the chart', t => {
  const known = yaml('deploy/helm/shared-context-server/values.yaml') as Record<string, unknown>
  const values = blocks.filter(block => !overlays.includes(block))
  t.same(values.flatMap(Object.keys).sort(), ['extraEnv', 'extraVolumeMounts', 'extraVolumes'])
  for (const name of values.flatMap(Object.keys)) t.ok(name in known, name)
  t.end()
})

test(
  'the overlays make what the page says',
  { skip: !onPath('kubectl', 'help') && 'kubectl is not on this machine' },
  async t => {
    t.equal(overlays.length, 3)
    const folder = await mkdtemp(join(tmpdir(), 'overlay-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    await cp(join(ROOT, 'k8s'), join(folder, 'k8s'), { recursive: true })
    await mkdir(join(folder, 'overlay'))
    const together = { ...overlays[0], patches: overlays.flatMap(({ patches }) => patches as unknown[]) }
    await writeFile(join(folder, 'overlay', 'kustomization.yaml'), stringify(together))
    const made = documents(
      execFileSync('kubectl', ['kustomize', 'overlay'], { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
    )
    const find = (kind: string) => made.find(document => document.kind === kind)
    t.match(find('Service').spec, { type: 'ClusterIP' })
    t.notOk('externalTrafficPolicy' in find('Service').spec)
    t.match(find('NetworkPolicy').spec.egress.at(-1).ports, [{ port: 6432 }])
    const { containers, initContainers, volumes } = find('Deployment').spec.template.spec
    t.equal([...containers, ...initContainers].length, 2)
    for (const { image, volumeMounts } of [...containers, ...initContainers]) {
      t.match(image, /^registry\.my-company\.org\/shared-context-server:/)
      t.ok(volumeMounts.some(({ mountPath }: { mountPath: string }) => mountPath === '/certificates'))
    }
    t.match(
      volumes.map(({ name }: { name: string }) => name),
      ['certificates', 'tmp']
    )
  }
)
