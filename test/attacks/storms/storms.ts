/** What attacker.mjs can be told to do: many connections at the same time, which want little and hold what they get. */
export interface Storm {
  name: string
  /** One of those that attacker.mjs makes. */
  kind:
    'idle' | 'slow head' | 'slow body' | 'endless body' | 'pipelined' | 'unread' | 'initialize' | 'mcp stream' | 'wait'
  sockets: number
  path?: string
  /** Without it a stranger comes. */
  authenticated?: true
  /** How many addresses of the loopback network they come from; none of them is the honest client's. */
  addresses?: number
  /** Meanwhile the attacker writes messages of so many bytes, which its streams have to be told. */
  writes?: number
}

export const storms: Storm[] = [
  { name: 'none, to compare with', kind: 'idle', sockets: 0 },
  { name: 'connections that say nothing', kind: 'idle', sockets: 500 },
  { name: 'heads that come byte by byte', kind: 'slow head', sockets: 300 },
  { name: 'bodies that come byte by byte', kind: 'slow body', sockets: 300 },
  { name: 'bodies that come byte by byte, with a key', kind: 'slow body', sockets: 300, authenticated: true },
  { name: 'slow bodies on /mcp, with a key', kind: 'slow body', path: '/mcp', sockets: 300, authenticated: true },
  { name: 'bodies in chunks without end, with a key', kind: 'endless body', sockets: 30, authenticated: true },
  { name: 'a hundred requests at once on a connection', kind: 'pipelined', sockets: 20, authenticated: true },
  {
    name: 'streams of a session that nobody reads',
    kind: 'unread',
    path: '/mcp/sessions/:session/events?after_seq=0',
    sockets: 200,
    authenticated: true,
    writes: 50_000
  },
  {
    name: 'streams of the workspace that nobody reads',
    kind: 'unread',
    path: '/mcp/events',
    sockets: 200,
    authenticated: true,
    writes: 50_000
  },
  { name: 'MCP initialisations of strangers', kind: 'initialize', sockets: 60, addresses: 50 },
  { name: 'MCP initialisations with a key', kind: 'initialize', sockets: 60, authenticated: true },
  { name: 'MCP streams that nobody reads', kind: 'mcp stream', sockets: 100, authenticated: true, writes: 50_000 },
  { name: 'waits', kind: 'wait', sockets: 500, authenticated: true },
  { name: 'waits for what is being written', kind: 'wait', sockets: 500, authenticated: true, writes: 2000 }
]
