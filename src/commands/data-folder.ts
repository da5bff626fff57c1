import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { posix, resolve, win32 } from 'node:path'
import { ConfigError } from '../config/config.js'
import { isCheckout, name } from '../version.js'
import { SECRETS_FILE } from './local-secrets.js'

interface Surroundings {
  checkout?: boolean
  platform?: string
  env?: Record<string, string | undefined>
  home?: () => string
}

/**
 * Where the data are, unless DATA_DIR says otherwise: in a checkout `data` in the current folder. An installed command
 * may be started anywhere and must find its data again. So there it is the system's place for data of a user's
 * programs.
 * @throws ConfigError where the user has no home folder
 */
export function defaultDataDir({
  checkout = isCheckout,
  platform = process.platform,
  env = process.env,
  home = homedir
}: Surroundings = {}): string {
  if (checkout) return 'data'
  const path = platform === 'win32' ? win32 : posix
  const given = platform === 'win32' ? env.LOCALAPPDATA : platform === 'darwin' ? undefined : env.XDG_DATA_HOME
  // The XDG specification says that a relative path is to be ignored.
  if (given !== undefined && path.isAbsolute(given)) return path.join(given, name)
  const places: Record<string, string> = { win32: 'AppData\\Local', darwin: 'Library/Application Support' }
  return path.join(homeFolder(home, path), places[platform] ?? '.local/share', name)
}

function homeFolder(home: () => string, path: Pick<typeof posix, 'isAbsolute'>): string {
  try {
    const folder = home()
    if (path.isAbsolute(folder)) return folder
  } catch {
    // Told below.
  }
  throw new ConfigError('The user who starts the program has no home folder. Set DATA_DIR to the folder for the data.')
}

/**
 * What to say of data of ours in the current folder that this start leaves alone. They are not taken by themselves:
 * keys in a folder that somebody else has filled would be keys that somebody else knows.
 */
export function passedOver(used: string, cwd = process.cwd()): string[] {
  const here = resolve(cwd, 'data')
  const holdsData = [SECRETS_FILE, 'postgres.json'].some(file => existsSync(resolve(here, file)))
  if (here === resolve(used) || !holdsData) return []
  return [
    `The data are in ${used}. The folder ${here} holds data of this program too, which are not used. ` +
      `To use them, set DATA_DIR=${here}`
  ]
}
