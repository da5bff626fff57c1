import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A model on 127.0.0.1 that says one sentence, in the protocols of coding agents. It keeps what it was sent. */
export interface ScriptedModel {
  url: string
  /** The bodies of all requests so far. */
  asked: string[]
  close: () => Promise<void>
}

const SAYS = 'Done.'

export async function scriptedModel(): Promise<ScriptedModel> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    void bodyOf(request).then(body => {
      if (request.method === 'POST') asked.push(body)
      answer(request.url ?? '', body, response)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => {
          resolve()
        })
      })
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function answer(url: string, body: string, response: ServerResponse): void {
  const streams = /"stream":\s*true/.test(body) || url.includes('alt=sse')
  if (url.includes('count_tokens') || url.includes('countTokens')) json(response, { input_tokens: 1, totalTokens: 1 })
  else if (url.includes('/messages')) send(response, streams, anthropic(), anthropicWhole)
  else if (url.includes('/responses')) send(response, streams, openaiResponses(), openaiResponse('completed'))
  else if (url.includes('/chat/completions')) send(response, streams, openaiChunks(), openaiWhole)
  else if (url.includes('enerateContent')) send(response, streams, [[undefined, gemini]], gemini)
  else if (url.includes('/models'))
    json(response, { object: 'list', data: [{ id: 'scripted', object: 'model' }], models: [] })
  else json(response, {})
}

type Event = [name: string | undefined, data: unknown]

function send(response: ServerResponse, streams: boolean, events: Event[], whole: unknown): void {
  if (!streams) {
    json(response, whole)
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const [name, data] of events)
    response.write(
      (name === undefined ? '' : `event: ${name}\n`) +
        `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
    )
  response.end()
}

function json(response: ServerResponse, data: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(data))
}

const usage = { input_tokens: 1, output_tokens: 1 }
const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'scripted', stop_sequence: null, usage }
const anthropicWhole = { ...message, content: [{ type: 'text', text: SAYS }], stop_reason: 'end_turn' }
function anthropic(): Event[] {
  const events = [
    { type: 'message_start', message: { ...message, content: [], stop_reason: null } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: SAYS } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage },
    { type: 'message_stop' }
  ]
  return events.map(event => [event.type, event])
}

const item = {
  id: 'item_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: SAYS, annotations: [] }]
}
function openaiResponse(status: string): unknown {
  return {
    id: 'resp_1',
    object: 'response',
    model: 'scripted',
    status,
    output: [item],
    usage: { ...usage, total_tokens: 2 }
  }
}
function openaiResponses(): Event[] {
  const events = [
    { type: 'response.created', response: openaiResponse('in_progress') },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: openaiResponse('completed') }
  ]
  return events.map(event => [event.type, event])
}

const chat = { id: 'chat_1', object: 'chat.completion', created: 1, model: 'scripted' }
const openaiWhole = {
  ...chat,
  choices: [{ index: 0, message: { role: 'assistant', content: SAYS }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
}
function openaiChunks(): Event[] {
  const chunk = { ...chat, object: 'chat.completion.chunk' }
  return [
    [
      undefined,
      { ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: SAYS }, finish_reason: null }] }
    ],
    [undefined, { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: openaiWhole.usage }],
    [undefined, '[DONE]']
  ]
}

const gemini = {
  candidates: [{ index: 0, content: { role: 'model', parts: [{ text: SAYS }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 }
}
