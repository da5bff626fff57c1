import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { ROOT } from '../helper.js'
import { SHAPES, valuesOf } from './chart-shapes.js'
import { documents, envFile, text, yaml } from './files.js'
import { faultsOf, types } from './manifest-schemas.js'

/** The Helm chart as Helm renders it: the same as k8s/ by default, and right in every other shape. */

const CHART = join(ROOT, 'deploy/helm/shared-context-server')
const NAMESPACE = 'shared-context'
/** The oldest Kubernetes that the chart is for. Without it Helm takes the one that it was built with. */
const OLDEST = /\d+\.\d+\.\d+/.exec(yaml('deploy/helm/shared-context-server/Chart.yaml').kubeVersion)?.[0] as string
/** Helm is no program of Debian's: `npm run check:helm` and `.ci/run` build it. */
const HELM = process.env.HELM ?? ''
const helm = {
  skip: (!existsSync(HELM) && 'it did not run: HELM names no program (npm run check:helm)') || types.skip
}
const folder = mkdtempSync(join(tmpdir(), 'chart-'))

function run(
  command: string,
  values: object,
  chart = CHART
): { status: number | null; stdout: string; stderr: string } {
  const file = join(folder, 'values.json')
  writeFileSync(file, JSON.stringify(values))
  const name = command === 'template' ? ['shared-context-server'] : []
  const args = [command, ...name, chart, '--namespace', NAMESPACE, '--values', file, '--kube-version', OLDEST]
  return spawnSync(HELM, args, { encoding: 'utf8', env: { PATH: process.env.PATH ?? '', HOME: folder } })
}

function render(values: object = {}): any[] {
  const { status, stdout, stderr } = run('template', values)
  if (status !== 0) throw new Error(stderr)
  return documents(stdout).filter(document => document !== null)
}

const isTest = ({ metadata }: any) => metadata.annotations?.['helm.sh/hook'] === 'test'
const nameOf = ({ kind, metadata }: any) => `${kind} ${metadata.name}`

/** What Helm's releases need and kustomize does not, and what Kubernetes fills in by itself. */
const OF_HELM = new Set([
  ...['app.kubernetes.io/instance', 'app.kubernetes.io/version', 'app.kubernetes.io/managed-by', 'helm.sh/chart'],
  ...['checksum/config', 'imagePullPolicy']
])

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !OF_HELM.has(name))
      .map(([name, inner]) => [name, comparable(inner)])
  )
}

/** k8s/ as kustomize makes it, but for the hash in the name of its ConfigMap. */
function kustomized(): any[] {
  const { namespace, resources, images, configMapGenerator } = yaml('k8s/kustomization.yaml')
  const [{ name, newTag }] = images
  const labels = { 'app.kubernetes.io/name': 'shared-context-server' }
  const made = resources
    .filter((file: string) => file !== 'namespace.yaml')
    .map((file: string) => {
      const document = yaml(`k8s/${file}`)
      document.metadata.namespace = namespace
      const { containers = [], initContainers = [] } = document.spec?.template?.spec ?? {}
      for (const container of [...containers, ...initContainers])
        if (container.image === name) container.image = `${name}:${newTag}`
      return document
    })
  const [{ name: map, envs }] = configMapGenerator
  const data = envFile(`k8s/${envs[0]}`)
  return [...made, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: map, namespace, labels }, data }]
}

test('with its defaults it makes what k8s/ makes', helm, async t => {
  const sorted = (all: any[]) => all.map(comparable).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  t.same(sorted(render().filter(document => !isTest(document))), sorted(kustomized()))
})

for (const { name, values, more, less = [] } of SHAPES)
  test(`${name}: it lints, makes what it should, and Kubernetes takes it`, helm, async t => {
    const lint = run('lint', values)
    t.equal(lint.status, 0, lint.stdout + lint.stderr)
    t.notMatch(lint.stdout, /\[(WARNING|ERROR)\]/)
    const all = render(values)
    const standard = kustomized().map(nameOf)
    t.same(
      all
        .filter(document => !isTest(document))
        .map(nameOf)
        .sort(),
      [...standard.filter(each => !less.includes(each)), ...more].sort()
    )
    for (const document of all) {
      t.same(faultsOf(document), [], nameOf(document))
      t.equal(document.metadata.namespace, NAMESPACE, nameOf(document))
      const pod = document.spec?.template?.spec ?? (document.kind === 'Pod' ? document.spec : undefined)
      if (pod === undefined) continue
      t.match(pod, { automountServiceAccountToken: false, securityContext: { runAsNonRoot: true } }, nameOf(document))
      for (const { securityContext } of [...pod.containers, ...(pod.initContainers ?? [])])
        t.same(
          securityContext,
          { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
          'what a namespace with pod-security restricted lets in'
        )
    }
  })

test('k8s/ itself is what Kubernetes takes', types, async t => {
  for (const file of readdirSync(join(ROOT, 'k8s')).filter(name => name.endsWith('.yaml') && !/^kustom/.test(name)))
    for (const document of documents(text(`k8s/${file}`))) t.same(faultsOf(document), [], file)
})

test('a schema refuses what Kubernetes would refuse', types, async t => {
  const deployment = yaml('k8s/deployment.yaml')
  deployment.spec.template.spec.containers[0].livenessProb = {}
  t.not(faultsOf(deployment).length, 0, 'a misspelt field')
  const monitor = { apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor', metadata: { name: 'a' }, spec: {} }
  t.not(faultsOf(monitor).length, 0, 'a missing field')
  t.throws(() => faultsOf({ apiVersion: 'v9', kind: 'Pod' }), /no schema/)
})

test('no other pod is taken for one of the service', helm, async t => {
  const all = render({ ...valuesOf('to try'), metrics: { serviceMonitor: { enabled: true } } })
  const selector = all.find(each => nameOf(each) === 'Service shared-context-server').spec.selector
  const pods = [...all, ...render({ migration: { mode: 'job' } })].flatMap(document => {
    if (document.kind === 'Pod') return [[nameOf(document), document.metadata.labels]]
    const labels = document.spec?.template?.metadata?.labels
    return labels === undefined ? [] : [[nameOf(document), labels]]
  }) as Array<[string, Record<string, string>]>
  const selected = pods.filter(([, labels]) =>
    Object.entries(selector).every(([name, value]) => labels[name] === value)
  )
  t.same([...new Set(selected.map(([name]) => name))], ['Deployment shared-context-server'])
  t.ok(new Set(pods.map(([name]) => name)).size >= 4)
})

test('the alerts are those of the rules file, with links into your documentation', helm, async t => {
  const rule = render(valuesOf('monitoring')).find(({ kind }) => kind === 'PrometheusRule')
  const source = text('deploy/prometheus/rules.yaml').replaceAll(
    'docs/runbooks.md#',
    'https://docs.my-company.org/runbooks#'
  )
  t.same(rule.spec, documents(source)[0])
  const map = render(valuesOf('monitoring')).find(
    ({ metadata }) => metadata.name === 'shared-context-server-dashboards'
  )
  for (const name of readdirSync(join(ROOT, 'deploy/grafana')))
    t.same(JSON.parse(map.data[name]), JSON.parse(text(`deploy/grafana/${name}`)), name)
})

/** Helm shows the notes only where there is a cluster: here they are a document of a copy of the chart. */
function notes(values: object): string {
  const copy = join(folder, 'copy')
  cpSync(CHART, copy, { recursive: true, dereference: true })
  copyFileSync(join(CHART, 'templates/NOTES.txt'), join(copy, 'notes.txt'))
  writeFileSync(join(copy, 'templates/notes.yaml'), 'notes: {{ tpl (.Files.Get "notes.txt") . | toJson }}\n')
  const { stdout, stderr } = run('template', values, copy)
  const found = documents(stdout).find(document => document?.notes !== undefined)
  if (found === undefined) throw new Error(stderr)
  return found.notes as string
}

test('the notes say what is still to be done, and how to reach the service', helm, async t => {
  const standard = notes({})
  t.match(standard, 'kubectl -n shared-context create secret generic shared-context-server')
  t.match(standard, '--from-literal=DATABASE_URL=')
  t.match(standard, 'It speaks plain HTTP: end TLS at the load balancer.')
  t.notMatch(standard, 'WARNING')
  const trying = notes(valuesOf('to try'))
  t.notMatch(trying, 'create secret generic')
  t.match(trying, /WARNING: secrets\.create .*\n[^]*WARNING: postgresql\.enabled/)
  t.match(notes(valuesOf('ingress')), 'https://context.my-company.org/mcp')
  t.match(notes({ ...valuesOf('gateway'), service: { type: 'NodePort' } }), 'go around the Gateway, without TLS')
  t.notMatch(`${standard}${trying}`, /\n{3}| \n/, 'without gaps')
})

test('what cannot work is refused, in words that say what to do', helm, async t => {
  const refused: Array<[object, RegExp]> = [
    [{ replica: 3 }, /replica/],
    [{ postgresql: { enabled: true } }, /postgresql.enabled needs postgresql.password/],
    [{ migration: { mode: 'job' }, secrets: { create: true } }, /migration.mode=initContainer/],
    [{ externalSecret: { enabled: true, key: 'a' } }, /needs externalSecret.store.name/],
    [{ secrets: { create: true }, externalSecret: { enabled: true } }, /would make the same Secret/],
    [{ ingress: { enabled: true } }, /needs ingress.hosts/],
    [{ httpRoute: { enabled: true } }, /needs httpRoute.parentRefs/],
    [{ autoscaling: { maxReplicas: 8 } }, /needs up to 100 connections .* has 97/]
  ]
  for (const [values, words] of refused) {
    const { status, stderr } = run('template', values)
    t.not(status, 0, JSON.stringify(values))
    t.match(stderr, words)
  }
})
