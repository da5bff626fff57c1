import type { Variable } from './variable.js'
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

/** Every variable, in the order of the table in docs/configuration.md. */
export const variables: Variable[] = Object.values(definitions).map(({ read, ...variable }) => variable)
