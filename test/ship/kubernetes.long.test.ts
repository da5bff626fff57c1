import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fastify, type FastifyServerOptions } from 'fastify'
import { test } from 'tap'
import { type Config, loadConfig, variables } from '../../src/config/config.js'
import { ROOT, runToEnd, startApp } from '../helper.js'
import { bytes, documents, envFile, heap, image, only, onPath, stopping, text, unknownNames, yaml } from './files.js'

const kustomization = yaml('k8s/kustomization.yaml')
const settings = envFile('k8s/config.env')
const deployment = yaml('k8s/deployment.yaml')
const pod = deployment.spec.template.spec
const [app] = pod.containers
const [migrate] = pod.initContainers
const LABELS = { 'app.kubernetes.io/name': 'shared-context-server' }

const filled = {
  DATABASE_URL: 'postgres://u:p@db.my-company.org:5432/shared_context',
  API_KEY: 'k'.repeat(48),
  JWT_SECRET_KEY: '0'.repeat(64),
  ADMIN_API_KEY: 'a'.repeat(48)
}
const configured = (): Config => loadConfig({ ...image().environment, ...settings, ...filled })
const hasKubectl = onPath('kubectl', 'help')

const containerPort = (name: string) => app.ports.find((port: any) => port.name === name).containerPort as number

test('every file is a resource, but for the example of the secrets', async t => {
  const others = ['kustomization.yaml', 'config.env', 'secrets.example.yaml']
  t.same(
    [...kustomization.resources].sort(),
    readdirSync(join(ROOT, 'k8s'))
      .filter(name => !others.includes(name))
      .sort()
  )
  t.same(kustomization.configMapGenerator, [{ name: 'shared-context-server', envs: ['config.env'] }])
  t.equal(kustomization.namespace, yaml('k8s/namespace.yaml').metadata.name)
  const { version } = JSON.parse(text('package.json')) as { version: string }
  t.same(kustomization.images, [{ name: 'shared-context-server', newTag: version }])
})

test('one image, whose ports and user are those of the Dockerfile', async t => {
  t.same([app.image, migrate.image], ['shared-context-server', 'shared-context-server'])
  const { runtime, environment } = image()
  t.equal(String(containerPort('http')), environment.PORT)
  t.equal(`${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`, only(runtime, 'USER').rest)
  t.notOk('command' in app || 'args' in app, "the image's own command")
})

test('the configuration is accepted, and means what the manifests count on', async t => {
  const config = configured()
  t.match(config, { host: '0.0.0.0', production: true, migrate_on_start: false })
  t.equal(config.port, containerPort('http'))
  t.equal(config.metrics_port, containerPort('metrics'))
  t.same(
    unknownNames([
      ...Object.keys(settings),
      ...[app, migrate].flatMap(({ env }) => env.map(({ name }: { name: string }) => name))
    ]),
    []
  )
  const secrets = variables.filter(({ secret }) => secret).map(({ name }) => name)
  t.same(
    Object.keys(settings).filter(name => secrets.includes(name)),
    [],
    'no secret among the settings'
  )
})

test('secrets come by reference; the example is refused as it is', async t => {
  const example = yaml('k8s/secrets.example.yaml')
  t.same(
    app.envFrom.filter((from: object) => 'secretRef' in from),
    [],
    "how to log in as the owner is not the service's to know"
  )
  for (const { env, envFrom } of [app, migrate]) {
    t.same(
      envFrom.filter((from: object) => 'configMapRef' in from),
      [{ configMapRef: { name: 'shared-context-server' } }]
    )
    for (const { name, valueFrom } of env) {
      t.match(valueFrom.secretKeyRef, { name: example.metadata.name, key: name })
      t.ok(name in example.stringData, `${name} is in the example`)
      t.equal(
        valueFrom.secretKeyRef.optional === true,
        ['API_KEY', 'ADMIN_API_KEY', 'AUDIT_HMAC_KEY'].includes(name),
        'optional only what the program can do without'
      )
    }
    t.same(env.map(({ name }: { name: string }) => name).sort(), Object.keys(example.stringData).sort())
  }
  t.equal(example.metadata.namespace, kustomization.namespace)
  for (const name of Object.keys(example.stringData)) {
    t.throws(() => loadConfig({ ...image().environment, ...settings, ...filled, [name]: example.stringData[name] }), {
      message: new RegExp(`${name} is still a placeholder`)
    })
  }
})

test('the shared keys can be left out of the secret once they are off, and not before', async t => {
  const { API_KEY: _none, ADMIN_API_KEY: _neither, ...secrets } = filled
  const env = { ...image().environment, ...settings, ...secrets }
  t.throws(() => loadConfig(env), /API_KEY is required/)
  t.match(loadConfig({ ...env, SHARED_API_KEY: 'off' }), {
    shared_api_key: false,
    api_key: undefined,
    admin_api_key: undefined
  })
  const command = /kubectl -n (\S+) exec deploy\/(\S+) -c (\S+) -- node (\S+) keys create/.exec(
    text('docs/api-keys.md')
  )
  t.same(
    command?.slice(1),
    [
      kustomization.namespace,
      deployment.metadata.name,
      app.name,
      only(image().runtime, 'CMD').rest.match(/dist[^"]+/)?.[0]
    ],
    'the first key is made where the documentation says'
  )
})

test('probes ask what the service answers, and give it the time it needs', async t => {
  const service = await startApp(t)
  for (const [probe, path] of [
    ['startupProbe', '/health/live'],
    ['livenessProbe', '/health/live'],
    ['readinessProbe', '/health/ready']
  ] as const) {
    const { httpGet, timeoutSeconds } = app[probe]
    t.same(httpGet, { path, port: 'http' })
    t.equal((await service.server.inject(path)).statusCode, 200)
    t.ok(timeoutSeconds > 1, 'the database alone may take a second')
  }
  const annotations = deployment.spec.template.metadata.annotations
  t.equal(annotations['prometheus.io/port'], String(containerPort('metrics')))
  t.equal((await service.server.inject(annotations['prometheus.io/path'])).statusCode, 200)
})

test("the init container's command exists", async t => {
  const [node, program, command, verb] = migrate.command
  t.equal(node, 'node')
  t.equal(program, (JSON.parse(only(image().runtime, 'CMD').rest) as string[])[1])
  t.ok(existsSync(join(ROOT, program.replace(/^dist\//, '').replace(/\.js$/, '.ts'))))
  const { stdout } = await runToEnd(['help', command as string], {})
  t.match(stdout, new RegExp(`^Usage: shared-context-server ${command} ${verb}\\b`, 'm'))
})

test('a pod may do nothing it does not need', async t => {
  t.match(pod, {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
  })
  for (const { securityContext } of [app, migrate])
    t.same(securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] }
    })
  const account = yaml('k8s/serviceaccount.yaml')
  t.equal(account.metadata.name, pod.serviceAccountName)
  t.equal(account.automountServiceAccountToken, false)
  t.equal(yaml('k8s/namespace.yaml').metadata.labels['pod-security.kubernetes.io/enforce'], 'restricted')
})

test('memory: requests, limits, and a heap that leaves room beside it', async t => {
  t.same(app.resources, { requests: { cpu: '250m', memory: '256Mi' }, limits: { cpu: '500m', memory: '512Mi' } })
  t.ok(heap(settings.NODE_OPTIONS as string) <= 0.82 * bytes(app.resources.limits.memory))
})

test('a pod that leaves has the time it may take', async t => {
  const [sleep, duration] = app.lifecycle.preStop.exec.command
  t.equal(sleep, '/bin/sleep')
  t.ok(pod.terminationGracePeriodSeconds * 1000 > Number(duration) * 1000 + stopping(configured()))
  t.ok(configured().shutdown_timeout_ms >= configured().request_timeout_ms, 'a call may end as it would have')
})

test('everything means the same pods', async t => {
  t.same(deployment.spec.selector.matchLabels, LABELS)
  t.same(deployment.spec.template.metadata.labels, LABELS)
  t.same(yaml('k8s/service.yaml').spec.selector, LABELS)
  t.same(yaml('k8s/pdb.yaml').spec.selector.matchLabels, LABELS)
  t.same(yaml('k8s/networkpolicy.yaml').spec.podSelector.matchLabels, LABELS)
  for (const { labelSelector } of pod.topologySpreadConstraints) t.same(labelSelector.matchLabels, LABELS)
  t.match(yaml('k8s/hpa.yaml').spec.scaleTargetRef, { kind: 'Deployment', name: deployment.metadata.name })
})

test(
  'the way in: port 80 for everybody, the metrics for the monitoring, and out to names and ' + 'PostgreSQL only',
  async t => {
    const { spec } = yaml('k8s/service.yaml')
    t.equal(spec.type, 'LoadBalancer')
    t.same(spec.ports, [{ name: 'http', port: 80, targetPort: 'http' }])
    t.equal(containerPort('http'), 8000)

    const { ingress, egress, policyTypes } = yaml('k8s/networkpolicy.yaml').spec
    t.same(policyTypes, ['Ingress', 'Egress'])
    const ports = (rule: any) => rule.ports.map(({ port }: { port: number }) => port)
    t.same(ingress.map(ports), [[containerPort('http')], [containerPort('metrics')]])
    t.notOk('from' in ingress[0])
    t.ok(ingress[1].from.length > 0)
    const database = Number(new URL(yaml('k8s/secrets.example.yaml').stringData.DATABASE_URL).port)
    t.same(egress.map(ports), [[53, 53], [database]])
  }
)

test('TRUST_PROXY: a proxy in the cluster is believed, a client outside is not', async t => {
  const server = fastify({ trustProxy: configured().trust_proxy } as FastifyServerOptions)
  server.get('/', async request => request.ip)
  const from = async (remoteAddress: string) =>
    (await server.inject({ url: '/', remoteAddress, headers: { 'x-forwarded-for': '203.0.113.9' } })).body
  t.equal(await from('10.1.2.3'), '203.0.113.9')
  t.equal(await from('198.51.100.7'), '198.51.100.7')
  t.equal(yaml('k8s/service.yaml').spec.externalTrafficPolicy, 'Local', "so that the address is the client's own")
})

test("the most pods there may be fit the database's connections", async t => {
  const { spec, metadata } = yaml('k8s/hpa.yaml')
  const usable =
    Number(metadata.annotations['shared-context-server/max-connections']) -
    Number(metadata.annotations['shared-context-server/reserved-connections'])
  const each = configured().database_pool_max + 2
  const { maxSurge, maxUnavailable } = deployment.spec.strategy.rollingUpdate
  t.ok(spec.maxReplicas * each < usable)
  t.ok(
    (spec.maxReplicas + maxSurge + 1) * each < usable,
    'also during a deploy, with one that comes and one that still goes'
  )
  t.equal(maxUnavailable, 0)
  t.equal(deployment.spec.replicas, 3)
  t.equal(spec.minReplicas, deployment.spec.replicas)
  t.ok(yaml('k8s/pdb.yaml').spec.maxUnavailable < spec.minReplicas)
})

test('it renders', { skip: !hasKubectl && 'kubectl is not on the PATH: rendering was not checked' }, async t => {
  const rendered = documents(execFileSync('kubectl', ['kustomize', join(ROOT, 'k8s')], { encoding: 'utf8' }))
  const kinds = rendered.map(({ kind }) => kind as string)
  t.same(kinds.sort(), [
    'ConfigMap',
    'Deployment',
    'HorizontalPodAutoscaler',
    'Namespace',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Service',
    'ServiceAccount'
  ])
  for (const { kind, metadata } of rendered)
    if (kind !== 'Namespace') t.equal(metadata.namespace, kustomization.namespace, kind)
  const find = (kind: string) => rendered.find(document => document.kind === kind)
  const map = find('ConfigMap')
  t.same(map.data, settings)
  for (const { image: name, envFrom, env } of [
    ...find('Deployment').spec.template.spec.containers,
    ...find('Deployment').spec.template.spec.initContainers
  ]) {
    t.equal(name, `shared-context-server:${kustomization.images[0].newTag}`)
    t.equal(envFrom[0].configMapRef.name, map.metadata.name)
    t.ok(env.length > 0)
  }
})
