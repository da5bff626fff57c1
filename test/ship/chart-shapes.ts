const secretStore = { name: 'vault', kind: 'ClusterSecretStore' }
const key = (character: string) => character.repeat(48)

/** Shapes that use every template, and what they make beside the defaults. */
export const SHAPES: Array<{ name: string; values: Record<string, any>; more: string[]; less?: string[] }> = [
  { name: 'defaults', values: {}, more: [] },
  {
    name: 'ingress',
    values: {
      service: { type: 'ClusterIP' },
      ingress: {
        enabled: true,
        className: 'nginx',
        hosts: ['context.my-company.org'],
        tls: [{ secretName: 'certificate', hosts: ['context.my-company.org'] }]
      }
    },
    more: ['Ingress shared-context-server']
  },
  {
    name: 'gateway',
    values: {
      service: { type: 'ClusterIP' },
      httpRoute: { enabled: true, parentRefs: [{ name: 'gateway' }], hostnames: ['context.my-company.org'] }
    },
    more: ['HTTPRoute shared-context-server']
  },
  {
    name: 'monitoring',
    values: {
      metrics: {
        serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
        prometheusRule: { enabled: true, runbooks: 'https://docs.my-company.org/runbooks' },
        dashboards: { enabled: true }
      }
    },
    more: [
      'ConfigMap shared-context-server-dashboards',
      'PrometheusRule shared-context-server',
      'Service shared-context-server-metrics',
      'ServiceMonitor shared-context-server'
    ]
  },
  {
    name: 'external secret',
    values: { externalSecret: { enabled: true, store: secretStore, key: 'shared-context' } },
    more: ['ExternalSecret shared-context-server']
  },
  {
    name: 'external secret, one by one',
    values: {
      externalSecret: {
        enabled: true,
        store: secretStore,
        data: [{ secretKey: 'API_KEY', remoteRef: { key: 'shared-context', property: 'api_key' } }]
      }
    },
    more: ['ExternalSecret shared-context-server']
  },
  {
    name: 'migration job',
    values: { migration: { mode: 'job' } },
    more: ['Job shared-context-server-migration', 'NetworkPolicy shared-context-server-migration']
  },
  {
    name: 'to try',
    values: {
      secrets: { create: true, values: { API_KEY: key('k'), JWT_SECRET_KEY: key('j') } },
      postgresql: { enabled: true, password: 'abcdef0123456789' }
    },
    more: [
      'NetworkPolicy shared-context-server-postgresql',
      'Secret shared-context-server',
      'Secret shared-context-server-postgresql',
      'Service shared-context-server-postgresql',
      'StatefulSet shared-context-server-postgresql'
    ]
  },
  {
    name: 'everything else',
    values: {
      image: { repository: 'registry.my-company.org:5000/scs', pullSecrets: [{ name: 'registry' }] },
      extraEnv: [{ name: 'AUDIT_HEAD_FILE', value: '/heads/heads' }],
      extraVolumes: [{ name: 'heads', emptyDir: {} }],
      extraVolumeMounts: [{ name: 'heads', mountPath: '/heads' }],
      podAnnotations: { a: 'b' },
      podLabels: { c: 'd' },
      nodeSelector: { disk: 'fast' },
      tolerations: [{ key: 'own', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      priorityClassName: 'high',
      serviceAccount: { annotations: { e: 'f' } },
      service: { type: 'NodePort', annotations: { g: 'h' } },
      autoscaling: { enabled: false },
      podDisruptionBudget: { enabled: false },
      networkPolicy: { ingressFrom: [{ podSelector: {} }], metricsFrom: [], extraEgress: [{ ports: [{ port: 443 }] }] }
    },
    more: [],
    less: ['HorizontalPodAutoscaler shared-context-server', 'PodDisruptionBudget shared-context-server']
  }
]

/** The values of a shape. @throws Error if there is none of that name */
export function valuesOf(name: string): Record<string, any> {
  const shape = SHAPES.find(each => each.name === name)
  if (shape === undefined) throw new Error(`There is no shape ${name}`)
  return shape.values
}
