import type { Bench, Finding } from '../kit/bench.js'
import { addMessages, CONNECTIONS, rest, senders, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide } from '../kit/rounds.js'
import { served } from './with.js'

/** What row-level security, and telling each statement its workspace and its role, cost: a write and a read. */
export async function wall(bench: Bench): Promise<Finding> {
  const walled = await served(bench, 'wall')
  const open = await served(bench, 'wall_without', { entry: 'bench/programs/without-row-security.js' })
  const both = [
    ['wall', walled],
    ['without', open]
  ] as const
  for (const [name, { service, tokens, sessions }] of both) {
    await bench.load.prepare(`add ${name}`, { senders: addMessages(service.port, tokens, sessions), expect: SUCCESS })
    for (const token of tokens)
      await service.call('set_memory', { key: 'state', value: { step: 1, done: ['read', 'plan'] } }, token)
    await bench.load.prepare(`get ${name}`, {
      senders: senders(service.port, connection => rest('get_memory', { key: 'state' }, tokens[connection] as string)),
      expect: SUCCESS
    })
  }
  const side = (load: string) => both.map(([name, { service }]) => loadSide(bench, name, `${load} ${name}`, [service]))
  const added = await alternate(bench, side('add'))
  const read = await alternate(bench, side('get'))
  await walled.end()
  await open.end()
  return {
    rows: [
      ratioRow(
        `add_message, ${CONNECTIONS} connections, with row-level security ÷ without`,
        added,
        'wall',
        'without',
        0.9
      ),
      ratioRow(
        `get_memory, ${CONNECTIONS} connections, with row-level security ÷ without`,
        read,
        'wall',
        'without',
        0.9
      )
    ],
    notes: [
      ...sideNotes(added).map(note => `wall, add_message: ${note}`),
      ...sideNotes(read).map(note => `wall, get_memory: ${note}`)
    ]
  }
}
