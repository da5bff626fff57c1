import { isIP } from 'node:net'
import { parseDatabaseUrl } from './database-url.js'

/** Shortest API key, in characters. */
export const SECRET_MIN = 8
/** Shortest secret that signs, in characters. */
export const JWT_SECRET_MIN = 32

/**
 * Turns the text of a variable into its value.
 * @throws Error whose message continues a sentence that starts with the variable's name: "must be true or false"
 */
export type Reader<T> = (text: string) => T

export type Permission = 'read' | 'write' | 'admin'

export const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '[::1]']
const PLACEHOLDER =
  /change.?me|replace.?me|your[-_ ]|<.*>|example|placeholder|^(secret|password|test|api[-_]?key|key|xxx+|\.\.\.)$/i

export const anyText: Reader<string> = text => text

export function wholeNumber(minimum: number, maximum: number): Reader<number> {
  return text => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < minimum || value > maximum)
      throw new Error(`must be a whole number from ${minimum} to ${maximum}`)
    return value
  }
}

export function flag(text: string): boolean {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw new Error('must be true or false')
}

export function onOff(text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on'
  throw new Error('must be on or off')
}

const REDACTIONS = ['off', 'report', 'mask'] as const

export function redaction(text: string): (typeof REDACTIONS)[number] {
  const found = REDACTIONS.find(word => word === text.toLowerCase())
  if (found === undefined) throw new Error(`must be one of ${REDACTIONS.join(', ')}`)
  return found
}

/** Host names, such as a Host header has, with or without a port. */
export function hostNames(text: string): string[] {
  const names = list(text)
  const wrong = names.find(name => name !== '*' && !/^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(name))
  if (wrong !== undefined) throw new Error('must hold host names such as context.my-company.org, separated by commas')
  return names
}

export function oneOf(words: string[]): Reader<string> {
  return text => {
    if (!words.includes(text.toLowerCase())) throw new Error(`must be one of ${words.join(', ')}`)
    return text.toLowerCase()
  }
}

/** What conda sets HOST to: the name of a compiler's target, such as x86_64-conda-linux-gnu. */
export const COMPILER_TARGET = /^\w+-(conda\w*|apple|pc|unknown|w64)-(linux|darwin|mingw|windows)[\w.]*(-\w+)?$/i
const HOST_NAME = /^(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$/i

/** An address or a name to listen on; whether it is one of this machine is known only later. */
export function host(text: string): string {
  const address = text.replace(/^\[(.*)\]$/, '$1')
  if (COMPILER_TARGET.test(address)) return '127.0.0.1'
  if (isIP(address) !== 0 || HOST_NAME.test(address)) return address
  throw new Error(notAnAddress(text))
}

/** Continues a sentence that starts with HOST. */
export function notAnAddress(text: string): string {
  const shown = text.replace(/[^\x20-\x7e]/g, '?').slice(0, 60)
  return (
    `is set in your environment to "${shown}", which is not an address of this machine. ` +
    'Run "unset HOST", or set HOST=127.0.0.1 (0.0.0.0: all addresses; the port is PORT)'
  )
}

export function list(text: string): string[] {
  return text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
}

export function origins(text: string): string[] {
  return list(text).map(origin => {
    if (origin === '*') return origin
    // Browsers never send an origin that contains a *.
    if (
      origin.includes('*') ||
      !URL.canParse(origin) ||
      new URL(origin).origin !== origin.replace(/\/$/, '').toLowerCase()
    )
      throw new Error('must hold origins such as https://app.example.com, separated by commas, or *')
    return new URL(origin).origin
  })
}

/** A URL with https, or with http if its host is a loopback name. */
export function secureUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK_HOSTS.includes(url.hostname))
  if (url === undefined || !secure)
    throw new Error('must be a URL with https (http only for this machine, such as http://localhost:8080)')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new Error('must be a URL without user, query and fragment')
  // Unchanged: issuers are compared character by character, including a slash at the end.
  return text
}

export function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new Error('must be a URL with http or https')
  return text
}

export function origin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== '' ||
    url.password !== '' ||
    url.pathname !== '/' ||
    url.search !== '' ||
    url.hash !== ''
  )
    throw new Error('must be an address such as https://context.my-company.org, without a path')
  return url.origin
}

/** A list of name=permission. The name may contain a =. */
export function permissions(text: string): ReadonlyMap<string, Permission> {
  return new Map(
    list(text).map(item => {
      const [, name, permission] = /^(.+)=(read|write|admin)$/.exec(item) ?? []
      if (name === undefined)
        throw new Error(
          'must hold pairs such as context:write=write, separated by commas, each with read, ' +
            'write or admin behind the ='
        )
      return [name.trim(), permission as Permission]
    })
  )
}

export function proxies(text: string): boolean | number | string[] {
  if (text === 'false') return false
  if (text === 'true') return true
  if (/^\d{1,3}$/.test(text)) return Number(text)
  const addresses = list(text)
  if (addresses.length === 0 || !addresses.every(isNetwork))
    throw new Error('must be true, false, a number of hops, or addresses such as 10.0.0.0/8, separated by commas')
  return addresses
}

function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
  const isInRange = bits === undefined || (Number(bits) >= 1 && Number(bits) <= most)
  return ['loopback', 'linklocal', 'uniquelocal'].includes(text) || (most > 0 && isInRange)
}

export function secret(minimum: number): Reader<string> {
  return text => {
    if (PLACEHOLDER.test(text))
      throw new Error('is still a placeholder; set a value of your own (openssl rand -hex 32)')
    if (text.length < minimum) throw new Error(`must have at least ${minimum} characters`)
    return text
  }
}

/** A list of secrets, separated by commas or spaces. */
export function secrets(minimum: number): Reader<string[]> {
  return text => {
    const values = text.split(/[\s,]+/).filter(value => value !== '')
    if (PLACEHOLDER.test(text) || values.some(value => PLACEHOLDER.test(value)))
      throw new Error('is still a placeholder; set a value of your own (openssl rand -hex 32)')
    const short = values.findIndex(value => value.length < minimum)
    if ((values.length < 2 && short !== -1) || values.length === 0)
      throw new Error(`must have at least ${minimum} characters`)
    if (short !== -1)
      throw new Error(
        `holds ${values.length} secrets, as commas and spaces separate them, ` +
          `and number ${short + 1} has fewer than ${minimum} characters`
      )
    return [...new Set(values)]
  }
}

export function databaseUrl(text: string): string {
  if (/change.?me|replace.?me|<.*>/i.test(text))
    throw new Error(
      'is still a placeholder; set the address of your PostgreSQL, postgres://user:password@host:5432/database'
    )
  parseDatabaseUrl(text)
  return text
}
