import { existsSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/**
 * Manifests held against the types that Kubernetes, the Prometheus operator, External Secrets and the Gateway API
 * publish: an unknown field, a missing one and a value of the wrong type are faults, as they are for the API server.
 * MANIFEST_TYPES names the folder in which deploy/helm/tools.sh has installed them.
 */
const FOLDER = process.env.MANIFEST_TYPES ?? ''

/** Where each kind is described, by its apiVersion. */
const PACKAGES: Record<string, string> = {
  v1: 'kubernetes-models/v1',
  'apps/v1': 'kubernetes-models/apps/v1',
  'autoscaling/v2': 'kubernetes-models/autoscaling/v2',
  'batch/v1': 'kubernetes-models/batch/v1',
  'networking.k8s.io/v1': 'kubernetes-models/networking.k8s.io/v1',
  'policy/v1': 'kubernetes-models/policy/v1',
  'monitoring.coreos.com/v1': '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
  'external-secrets.io/v1': '@kubernetes-models/external-secrets/external-secrets.io/v1',
  'gateway.networking.k8s.io/v1': '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1'
}

/** Options of a test that needs the types. */
export const types = {
  skip:
    !existsSync(join(FOLDER, 'node_modules/kubernetes-models')) &&
    'it did not run: MANIFEST_TYPES names no folder with the types of manifests (npm run check:helm)'
}

const options: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: []
}
let versions = 0
let source = ''
const file = join(FOLDER, 'manifest.mts')

/** One service for all manifests, so that the types are read once. */
const service = ts.createLanguageService({
  getCompilationSettings: () => options,
  getScriptFileNames: () => [file],
  getScriptVersion: name => (name === file ? String(versions) : '1'),
  getScriptSnapshot(name) {
    const text = name === file ? source : ts.sys.readFile(name)
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
  },
  getCurrentDirectory: () => FOLDER,
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  fileExists: name => name === file || ts.sys.fileExists(name),
  readFile: name => (name === file ? source : ts.sys.readFile(name)),
  readDirectory: (path, ...more) => ts.sys.readDirectory(path, ...more),
  directoryExists: path => ts.sys.directoryExists(path),
  getDirectories: path => ts.sys.getDirectories(path)
})

/**
 * What is wrong with a manifest; empty if nothing is.
 * @throws Error for a kind that has no schema here
 */
export function faultsOf(document: { apiVersion: string; kind: string }): string[] {
  const { apiVersion, kind } = document
  const from = PACKAGES[apiVersion]
  if (from === undefined) throw new Error(`There is no schema for ${apiVersion} ${kind}`)
  source = `import type { I${kind} } from '${from}'\nexport const it: I${kind} = ${JSON.stringify(document, null, 1)}\n`
  versions++
  return [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)].map(
    ({ messageText, start = 0 }) => {
      const line = source.slice(0, start).split('\n').length
      return `${ts.flattenDiagnosticMessageText(messageText, ' ')} (${source.split('\n')[line - 1]?.trim()})`
    }
  )
}
