import { Client as ModernClient } from '@modelcontextprotocol/client'
import { StdioClientTransport as ModernTransport } from '@modelcontextprotocol/client/stdio'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { Test } from 'tap'
import { compiled } from '../helper.js'
import type { AnyClient } from './clients.js'

/** The `mcp` command, started by real clients as their users' configuration has it. */

export function parameters(env: Record<string, string>) {
  return {
    command: process.execPath,
    args: [compiled(), 'mcp'],
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stderr: 'pipe' as const
  }
}

export const starts: Record<string, (t: Test, env: Record<string, string>) => Promise<AnyClient>> = {
  async 'the SDK of 2025'(t, env) {
    const client = new LegacyClient({ name: 'legacy local', version: '1' })
    await client.connect(new LegacyTransport(parameters(env)))
    t.teardown(() => client.close())
    return client
  },
  async 'the SDK of 2026'(t, env) {
    const client = new ModernClient(
      { name: 'modern local', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } }
    )
    await client.connect(new ModernTransport(parameters(env)))
    t.teardown(() => client.close())
    return client as unknown as AnyClient
  },
  async 'the SDK of 2026, which looks for the version'(t, env) {
    const client = new ModernClient({ name: 'modern local', version: '1' }, { versionNegotiation: { mode: 'auto' } })
    await client.connect(new ModernTransport(parameters(env)))
    t.teardown(() => client.close())
    return client as unknown as AnyClient
  }
}
