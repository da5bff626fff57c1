import type { MessageView, SessionView } from '../api/catalogue.js'
import type { Client } from '../api/client.js'
import { readPages } from '../api/pages.js'
import { hueOf, visibleText } from '../parts/text.js'

type OnProgress = (messages: number) => void

const PAGE = 1000

/** A session as export_session has it, page by page. */
export async function sessionAsLines(
  client: Client,
  { id: session_id }: SessionView,
  onProgress: OnProgress
): Promise<string[]> {
  let count = 0
  const { pages } = await readPages(async from => {
    const page = await client.call('export_session', { session_id, limit: PAGE, ...from })
    onProgress((count += page.count))
    return page
  })
  return pages.map(({ ndjson }) => ndjson)
}

/**
 * A session as one page that opens anywhere: it loads nothing and runs nothing, and every text in it is escaped.
 */
export async function sessionAsHtml(client: Client, session: SessionView, onProgress: OnProgress): Promise<string[]> {
  const { id: session_id, purpose, created_by, created_at } = session
  const parts = [
    `<!doctype html><html lang="en"><meta charset="utf-8">`,
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1"><title>${html(purpose)}</title>`,
    `<style>${STYLE}</style><h1>${html(purpose)}</h1>`,
    `<p>Session ${html(session_id)}, opened by ${html(created_by)} at ${html(created_at)}.</p>\n`
  ]
  let last = 0
  let count = 0
  for (let more = true; more;) {
    const page = await client.call('get_messages', { session_id, after_seq: last, limit: PAGE })
    for (const message of page.messages) parts.push(articleOf(message))
    last = page.last_seq
    count += page.count
    onProgress(count)
    more = page.has_more
  }
  return [...parts, '</html>\n']
}

function articleOf({
  id,
  seq,
  sender,
  sender_type,
  content,
  visibility,
  metadata,
  parent_message_id,
  timestamp,
  to = [],
  payload
}: MessageView): string {
  const data = (Object.keys(metadata).length === 0 ? '' : details('Metadata', metadata)) + details('Payload', payload)
  const whom = to.length === 0 ? '' : ` · to ${html(to.join(', '))}`
  const reply = parent_message_id === null ? '' : ` <a href="#m${html(parent_message_id)}">in reply</a>`
  return (
    `<article id="m${html(id)}"><header><b style="color:hsl(${hueOf(sender)} 60% 35%)">${html(sender)}</b> ` +
    `<small>${html(sender_type)} · <time>${html(timestamp)}</time> · #${html(seq)} · ${html(visibility)}${whom}` +
    `${reply}</small></header><pre dir="auto">${html(content)}</pre>${data}</article>\n`
  )
}

function details(name: string, value: unknown): string {
  if (value === undefined) return ''
  return `<details><summary>${name}</summary><pre>${html(JSON.stringify(value, null, 2))}</pre></details>`
}

/** Numbers are escaped like texts: the file is opened where no policy of the service protects anybody. */
function html(text: string | number): string {
  return visibleText(String(text)).replace(/[&<>"']/g, found => `&#${found.charCodeAt(0)};`)
}

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2330}' +
  'article{border-top:1px solid #d5dae3;padding:.6rem 0}pre{font:inherit;white-space:pre-wrap;overflow-wrap:anywhere;' +
  'margin:.3rem 0}details pre{font-family:ui-monospace,monospace;font-size:.85rem}small{color:#555e6e}'
