import { API_KEY } from '../helper.js'

/** One REST call over a real socket. @returns the answer's body with its status; throws where no answer came */
export async function post(
  url: string,
  tool: string,
  args: unknown,
  {
    key = API_KEY,
    agent = 'agent-1',
    headers = {}
  }: { key?: string; agent?: string; headers?: Record<string, string> } = {}
): Promise<any> {
  const response = await fetch(`${url}/mcp/tool/${tool}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key, 'x-agent-id': agent, ...headers },
    body: JSON.stringify(args)
  })
  return { status: response.status, ...((await response.json()) as Record<string, unknown>) }
}

/** Waits until something holds, looking every 50 ms. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, timeout_ms = 30_000): Promise<void> {
  const end = Date.now() + timeout_ms
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`Not within ${timeout_ms} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
