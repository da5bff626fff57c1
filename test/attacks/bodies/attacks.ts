/**
 * What attacker.mjs can be told to do: many connections, each with a body that is large, deep, wide, slow or many at a
 * time.
 */
export interface Attack {
  name: string
  path: string
  /** One of those that attacker.mjs makes. */
  body: string
  /** Bytes; bodies that are valid calls have a size of their own. */
  bytes?: number
  sockets: number
  /** How many addresses of the loopback network they come from. */
  addresses?: number
  /** With a good key. */
  authenticated?: true
  /** Bytes of each chunk; absent: with a Content-Length. */
  chunk?: number
  /** All but the end is sent, and then nothing. */
  short?: true
  /** Requests that are sent on one connection without waiting for an answer. */
  pipelined?: number
}

const MIB = 1024 * 1024
const LARGE = 8 * MIB
const SMALL = MIB / 2
const memory = '/mcp/tool/set_memory'

export const attacks: Attack[] = [
  { name: '-  none, to compare with', path: memory, body: 'brackets', bytes: 2, sockets: 0 },
  { name: 'a  8 MiB short of a byte', path: memory, body: 'spaces', bytes: LARGE, sockets: 70, short: true },
  { name: 'a  in chunks', path: memory, body: 'spaces', bytes: LARGE, chunk: 65_536, sockets: 70, short: true },
  { name: 'a  with a key', path: memory, body: 'spaces', bytes: LARGE, sockets: 70, short: true, authenticated: true },
  { name: 'b  [{},{},…]', path: memory, body: 'objects', bytes: LARGE, sockets: 16 },
  { name: 'b  with a key', path: memory, body: 'objects', bytes: LARGE, sockets: 16, authenticated: true },
  {
    name: 'b  99 000 numbers, with a key',
    path: memory,
    body: 'numbers',
    bytes: LARGE,
    sockets: 16,
    authenticated: true
  },
  { name: 'b  60 000 fields, with a key', path: memory, body: 'fields', sockets: 16, authenticated: true },
  { name: 'b  9 900 fields, with a key', path: memory, body: 'memory', sockets: 16, authenticated: true },
  {
    name: 'b  8 MB of messages, with a key',
    path: '/mcp/tool/add_messages',
    body: 'messages',
    sockets: 16,
    authenticated: true
  },
  {
    name: 'b  deep metadata in strings, with a key',
    path: '/mcp/tool/add_messages',
    body: 'strings',
    sockets: 16,
    authenticated: true
  },
  {
    name: 'b  8 MB of emoji, with a key',
    path: memory,
    body: 'text',
    bytes: 8_000_000,
    sockets: 16,
    authenticated: true
  },
  { name: 'c  [[[[…', path: memory, body: 'brackets', bytes: LARGE, sockets: 16 },
  { name: 'c  with a key', path: memory, body: 'brackets', bytes: LARGE, sockets: 16, authenticated: true },
  {
    name: 'd  chunks of a byte',
    path: '/mcp/tool/get_usage_guidance',
    body: 'spaces',
    bytes: 64_000,
    chunk: 1,
    sockets: 70,
    short: true
  },
  {
    name: 'd  chunks of 1100 bytes, with a key',
    path: memory,
    body: 'spaces',
    bytes: LARGE,
    chunk: 1100,
    sockets: 30,
    authenticated: true
  },
  { name: 'e  pipelined', path: memory, body: 'numbers', bytes: SMALL, sockets: 20, pipelined: 20 },
  {
    name: 'f  /mcp, 8 MiB short of a byte',
    path: '/mcp',
    body: 'spaces',
    bytes: LARGE,
    chunk: 65_536,
    sockets: 70,
    short: true
  },
  {
    name: 'f  /mcp, [{},{},…], with a key',
    path: '/mcp',
    body: 'objects',
    bytes: LARGE,
    sockets: 16,
    authenticated: true
  },
  { name: 'f  /mcp, a batch of 20 000', path: '/mcp', body: 'batch', sockets: 16, authenticated: true },
  { name: 'f  /mcp, 9 900 params', path: '/mcp', body: 'params', sockets: 16, authenticated: true },
  { name: 'g  an unknown tool', path: '/mcp/tool/nothing', body: 'numbers', bytes: SMALL, sockets: 70 },
  { name: 'g  an address where nothing is', path: '/nothing', body: 'numbers', bytes: SMALL, sockets: 70 },
  { name: 'h  512 KiB, 50 addresses', path: memory, body: 'numbers', bytes: SMALL, sockets: 300, addresses: 50 },
  { name: 'h  short of a byte', path: memory, body: 'spaces', bytes: SMALL, sockets: 300, addresses: 50, short: true }
]
