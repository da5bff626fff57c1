import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../kernel/caller.js'

/** Something to read at an address, besides what the tools answer. */
export interface Resource {
  name: string
  title: string
  description: string
  mimeType: string
  /** An address, or with {…} a template of addresses. */
  uri: string
  /** The text behind an address. `parts` are those that the template names, decoded. @throws RpcFailure or AppError */
  read: (parts: Record<string, string>, caller: Caller, app: FastifyInstance) => string | Promise<string>
}

export function isTemplate(resource: Resource): boolean {
  return resource.uri.includes('{')
}

/** For a resource's address, the function that takes an address apart; undefined for another resource's. */
export function matcher(uri: string): (address: string) => Record<string, string> | undefined {
  const pattern = uri.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  const fullPattern = new RegExp(`^${pattern}/?$`)
  return address => {
    const groups = fullPattern.exec(address)?.groups ?? (fullPattern.test(address) ? {} : undefined)
    try {
      return (
        groups && Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]))
      )
    } catch {
      return undefined
    }
  }
}

export function json(value: unknown): string {
  return JSON.stringify(value, null, 2)
}
