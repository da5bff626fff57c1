import type { Bench, Finding } from '../kit/bench.js'
import { addMessages, addMessages2025, addMessages2026, openMcpSession, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide } from '../kit/rounds.js'
import { served } from './with.js'

/** What the protocol around a tool's call costs, in both of its eras. */
export async function mcp(bench: Bench): Promise<Finding> {
  const { service, tokens, sessions, end } = await served(bench, 'mcp')
  const mcpSessions: string[] = []
  for (const token of tokens) mcpSessions.push(await openMcpSession(service, token))
  await bench.load.prepare('rest', { senders: addMessages(service.port, tokens, sessions), expect: SUCCESS })
  await bench.load.prepare('2025', {
    senders: addMessages2025(service.port, tokens, sessions, mcpSessions),
    expect: SUCCESS
  })
  await bench.load.prepare('2026', { senders: addMessages2026(service.port, tokens, sessions), expect: SUCCESS })
  const measured = await alternate(bench, [
    loadSide(bench, 'REST', 'rest', [service]),
    loadSide(bench, 'MCP 2025', '2025', [service]),
    loadSide(bench, 'MCP 2026', '2026', [service])
  ])
  await end()
  return {
    rows: [
      ratioRow('add_message by tools/call with Mcp-Session-Id (2025-11-25) ÷ REST', measured, 'MCP 2025', 'REST', 0.5),
      ratioRow('add_message by tools/call, stateless (2026-07-28) ÷ REST', measured, 'MCP 2026', 'REST', 0.5)
    ],
    notes: sideNotes(measured).map(note => `mcp: ${note}`)
  }
}
