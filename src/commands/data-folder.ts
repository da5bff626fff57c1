import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { ConfigError } from '../config/config.js'
import { dataFolder, pathsOf, settingsFolder, type User } from '../connect/machine.js'
import { isCheckout, name } from '../version.js'
import { SECRETS_FILE } from './local-secrets.js'

/** The machine and its user; what is left out is this process's own. */
export interface Environment {
  platform?: string
  env?: Record<string, string | undefined>
  home?: () => string
}

/**
 * The data folder, unless DATA_DIR is set. A checkout uses `data` in the current folder. An installed command may be
 * started from any folder and must find its data again, so it uses the operating system's folder for application data
 * of the user.
 * @throws ConfigError if the user has no home folder
 */
export function defaultDataDir({ checkout = isCheckout, ...given }: Environment & { checkout?: boolean } = {}): string {
  if (checkout) return 'data'
  const user = userOf(given, 'DATA_DIR to the folder for the data')
  return pathsOf(user).join(dataFolder(user), name)
}

/**
 * The folder for what this user has set up, such as profiles: the operating system's folder for that, not the one for
 * data, which backups may leave out and other machines do not share.
 * @throws ConfigError if the user has no home folder
 */
export function configFolder(given: Environment = {}): string {
  const user = userOf(given, 'HOME')
  return pathsOf(user).join(settingsFolder(user), name)
}

/** @param remedy what to set if there is no home folder where one is needed */
function userOf({ platform = process.platform, env = process.env, home = homedir }: Environment, remedy: string): User {
  return {
    platform,
    env,
    get home() {
      try {
        const folder = home()
        if (pathsOf({ platform }).isAbsolute(folder)) return folder
      } catch {
        // Reported below.
      }
      throw new ConfigError(`The user who runs the program has no home folder. Set ${remedy}.`)
    }
  }
}

/**
 * Notices about data of this program in the current folder that this start does not use. Using them without being told
 * would be unsafe: whoever filled that folder knows the keys in it.
 */
export function unusedDataNotices(used: string, cwd = process.cwd()): string[] {
  const localFolder = resolve(cwd, 'data')
  const holdsData = [SECRETS_FILE, 'postgres.json'].some(file => existsSync(resolve(localFolder, file)))
  if (localFolder === resolve(used) || !holdsData) return []
  return [
    `The data are in ${used}. The folder ${localFolder} also holds data of this program, which are not used. ` +
      `To use them, set DATA_DIR=${localFolder}`
  ]
}
