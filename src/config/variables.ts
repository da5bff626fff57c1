import type { Definition, Variable } from './variable.js'
import { capacityVariables } from './variables/capacity.js'
import { identityVariables } from './variables/identity.js'
import { limitsVariables } from './variables/limits.js'
import { networkVariables } from './variables/network.js'
import { operationVariables } from './variables/operation.js'
import { storageVariables } from './variables/storage.js'

/** The definition of each setting, by its name in `Config`. */
export const definitions = {
  ...storageVariables,
  ...identityVariables,
  ...networkVariables,
  ...capacityVariables,
  ...limitsVariables,
  ...operationVariables
}

type ValueOf<D> = D extends Definition<infer T> ? T : never
type Values = { [Name in keyof typeof definitions]: ValueOf<(typeof definitions)[Name]> }

/** What the environment says, read and checked. The definitions say what each value means, and its unit. */
export interface Config extends Values {
  body_memory: number
  dashboard: boolean
  oidc_audience: string[]
  /** NODE_ENV=production. */
  production: boolean
  /** What the operator should know of the environment, though it is no fault. */
  notices: readonly string[]
}

/** Every variable, in the order of the table in docs/configuration.md. */
export const variables: Variable[] = Object.values(definitions).map(({ read, ...variable }) => variable)
