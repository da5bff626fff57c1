/** A server, and who calls it. */
export interface Caller {
  /** The server's address, such as `http://127.0.0.1:23456`. */
  url: string
  api_key: string
  /** Left out: the one that the key is for. */
  agent_id?: string
}

/** An answer of a tool; of a failure, why. */
export type ToolAnswer = { success: true } & Record<string, unknown>
export class ToolFailure extends Error {
  constructor(
    readonly code: string,
    message: string
  ) {
    super(message)
  }
}

/** Nobody answered, or not within the time. */
export class NoAnswer extends Error {}

/**
 * Calls a tool over REST.
 * @throws ToolFailure with the server's code and words, NoAnswer if no server of this kind answers in time
 */
export async function callTool(
  { url, api_key, agent_id }: Caller,
  tool: string,
  input: Record<string, unknown>,
  timeout_ms: number
): Promise<ToolAnswer> {
  const answer = await getJson(`${url}/mcp/tool/${tool}`, timeout_ms, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-API-Key': api_key, ...(agent_id !== undefined && { 'X-Agent-Id': agent_id }) },
    body: JSON.stringify(input)
  })
  const { success, code, error } = answer.body
  if (success === true) return answer.body as ToolAnswer
  if (success === false) throw new ToolFailure(String(code), String(error))
  throw new NoAnswer('What answers there is no shared-context-server.')
}

export interface JsonAnswer {
  status: number
  body: Record<string, unknown>
  /** The server's clock, in milliseconds since 1970; NaN if it told none. */
  clock_ms: number
}

/** @throws NoAnswer */
export async function getJson(address: string, timeout_ms: number, request: RequestInit = {}): Promise<JsonAnswer> {
  try {
    const response = await fetch(address, {
      ...request,
      // A redirect would carry the key elsewhere.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout_ms)
    })
    const body: unknown = await response.json()
    const clock_ms = Date.parse(response.headers.get('date') ?? '')
    return { status: response.status, body: Object(body) as Record<string, unknown>, clock_ms }
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: unknown } }
    const why = name === 'TimeoutError' ? `no answer in ${timeout_ms / 1000} s` : String(cause?.code ?? 'no JSON')
    throw new NoAnswer(why)
  }
}
