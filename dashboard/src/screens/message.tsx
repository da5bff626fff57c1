import { memo } from 'preact/compat'
import { useState } from 'preact/hooks'
import type { MessageView } from '../api/catalogue.js'
import { AgentName } from '../parts/agent.js'
import { Markdown } from '../parts/markdown.js'
import { shortText, visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'
import { useClient } from '../signed-in.js'
import { Receipts } from './receipts.js'

export interface MessageActions {
  onReply: (to: MessageView) => void
  onThread: (of: MessageView) => void
  onOpen: (seq: number) => void
}

/** Characters of a message that are shown before one asks for all. */
const FOLD_AT = 4000
/** Characters of a payload that are shown. */
const PAYLOAD_SHOWN = 50_000

const WHO_SEES: Record<MessageView['visibility'], string> = {
  public: 'everybody',
  private: 'only you',
  agent_only: 'agents of the same type',
  direct: 'those it is addressed to, its sender and admins',
  admin_only: 'admins'
}

function shownPayload(payload: unknown): string {
  const text = JSON.stringify(payload, null, 2)
  const left = text.length - PAYLOAD_SHOWN
  return (
    visibleText(text.slice(0, PAYLOAD_SHOWN)) + (left > 0 ? `\n… and ${left.toLocaleString()} characters more` : '')
  )
}

/** One message. It is memoized: a timeline has many, and few change. */
export const MessageItem = memo(function MessageItem({
  message,
  reply,
  marked = false,
  quotes = true,
  onReply,
  onThread,
  onOpen
}: MessageActions & {
  message: MessageView
  /** What it answers, if that is loaded. */
  reply: MessageView | undefined
  /** Whether the address names it. */
  marked?: boolean
  /** Whether it says what it answers: not where that stands right above it. */
  quotes?: boolean
}) {
  const { seq, session_id, sender, sender_type, content, visibility, metadata, parent_message_id, timestamp } = message
  const { to = [], payload } = message
  const { identity } = useClient()
  const maySeeReceipts = to.length > 0 && (sender === identity.agent_id || identity.permissions.includes('admin'))
  const [whole, setWhole] = useState(false)
  const [details, setDetails] = useState(false)
  const [receipts, setReceipts] = useState(false)
  const folded = !whole && content.length > FOLD_AT
  const keys = Object.keys(metadata)
  return (
    <article
      class={`message ${marked ? 'marked' : ''}`}
      data-item
      tabIndex={-1}
      onKeyDown={event => {
        if (event.key === 'Enter' && event.target === event.currentTarget) onThread(message)
      }}
      aria-label={`${shortText(sender, 40)}, number ${seq}`}
    >
      <header>
        <AgentName name={sender} />
        <span class="type">{visibleText(sender_type)}</span>
        <Time at={timestamp} />
        {to.length > 0 && <span class="type">to {to.map(each => shortText(each, 40)).join(', ')}</span>}
        {visibility !== 'public' && (
          <span class={`badge visibility-${visibility}`} title={`Seen by: ${WHO_SEES[visibility]}`}>
            {visibility.replace('_', ' ')}
          </span>
        )}
        <span class="grow" />
        <span class="message-acts">
          <button
            type="button"
            class="plain-button"
            onClick={() => {
              onReply(message)
            }}
          >
            Reply
          </button>
          <button
            type="button"
            class="plain-button"
            onClick={() => {
              onThread(message)
            }}
          >
            Thread
          </button>
          {maySeeReceipts && (
            <button
              type="button"
              class="plain-button"
              aria-expanded={receipts}
              onClick={() => {
                setReceipts(!receipts)
              }}
            >
              Receipts
            </button>
          )}
          {(keys.length > 0 || payload !== undefined) && (
            <button
              type="button"
              class="plain-button"
              aria-expanded={details}
              onClick={() => {
                setDetails(!details)
              }}
            >
              {payload === undefined ? 'Metadata' : 'Data'}
            </button>
          )}
          <a
            class="plain-button"
            title="Link to this message"
            href={`#/sessions/${session_id}/${seq}`}
            onClick={event => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return
              event.preventDefault()
              onOpen(seq)
            }}
          >
            #{seq}
          </a>
        </span>
      </header>
      {quotes && parent_message_id !== null && (
        <button
          type="button"
          class="quoted"
          onClick={() => {
            if (reply !== undefined) onOpen(reply.seq)
            else onThread(message)
          }}
        >
          ↳{' '}
          {reply === undefined
            ? 'an earlier message'
            : `${shortText(reply.sender, 40)}: ${shortText(reply.content, 100)}`}
        </button>
      )}
      <div class="content" dir="auto">
        <Markdown text={folded ? content.slice(0, FOLD_AT) : content} />
      </div>
      {folded && (
        <button
          type="button"
          onClick={() => {
            setWhole(true)
          }}
        >
          Show all {content.length.toLocaleString()} characters
        </button>
      )}
      {receipts && <Receipts message_id={message.id} />}
      {details && keys.length > 0 && (
        <pre class="code" tabIndex={0}>
          {visibleText(JSON.stringify(metadata, null, 2))}
        </pre>
      )}
      {details && payload !== undefined && (
        <pre class="code" tabIndex={0} aria-label="Payload">
          {shownPayload(payload)}
        </pre>
      )}
    </article>
  )
})
