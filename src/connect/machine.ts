import { posix, win32 } from 'node:path'

/** The machine and its user, as far as it decides where coding agents keep their files. */
export interface Machine extends User {
  /** The project's folder. */
  cwd: string
}

/** The same without a project. */
export interface User {
  platform: string
  env: Readonly<Record<string, string | undefined>>
  /** The home folder. */
  home: string
}

export function pathsOf({ platform }: Pick<User, 'platform'>): typeof posix {
  return platform === 'win32' ? win32 : posix
}

export function inHome(user: User, ...parts: string[]): string {
  return pathsOf(user).join(user.home, ...parts)
}

/** The folder that a variable names, else a folder in the user's home. */
export function folderOf(user: User, variable: string, ...parts: string[]): string {
  const { env } = user
  const given = env[variable]
  // The XDG specification demands that relative paths are ignored.
  return given !== undefined && pathsOf(user).isAbsolute(given) ? given : inHome(user, ...parts)
}

/** Where programs keep the user's data. */
export function dataFolder(user: User): string {
  if (user.platform === 'win32') return folderOf(user, 'LOCALAPPDATA', 'AppData', 'Local')
  if (user.platform === 'darwin') return inHome(user, 'Library', 'Application Support')
  return folderOf(user, 'XDG_DATA_HOME', '.local', 'share')
}

/** Where desktop programs keep what the user has set. */
export function settingsFolder(user: User): string {
  if (user.platform === 'win32') return folderOf(user, 'APPDATA', 'AppData', 'Roaming')
  if (user.platform === 'darwin') return inHome(user, 'Library', 'Application Support')
  return xdgFolder(user)
}

/** Where programs that follow the XDG specification on every system keep it. */
export function xdgFolder(user: User): string {
  return folderOf(user, 'XDG_CONFIG_HOME', '.config')
}
