import { memo } from 'preact/compat'
import { useState } from 'preact/hooks'
import type { MessageView } from '../api/catalogue.js'
import { AgentName } from '../parts/agent.js'
import { Markdown } from '../parts/markdown.js'
import { shortText, visibleText } from '../parts/text.js'
import { Time } from '../parts/time.js'

export interface MessageActions {
  onReply: (to: MessageView) => void
  onThread: (of: MessageView) => void
  onOpen: (seq: number) => void
}

/** Characters of a message that are shown before one asks for all. */
const FOLD_AT = 4000

const WHO_SEES: Record<MessageView['visibility'], string> = {
  public: 'everybody',
  private: 'only you',
  agent_only: 'agents of the same type',
  admin_only: 'admins'
}

/** One message. It is memoized: a timeline has many, and few change. */
export const MessageItem = memo(function MessageItem({
  message,
  reply,
  marked = false,
  onReply,
  onThread,
  onOpen
}: MessageActions & {
  message: MessageView
  /** What it answers, if that is loaded. */
  reply: MessageView | undefined
  /** Whether the address names it. */
  marked?: boolean
}) {
  const { seq, sender, sender_type, content, visibility, metadata, parent_message_id, timestamp } = message
  const [whole, setWhole] = useState(false)
  const [details, setDetails] = useState(false)
  const folded = !whole && content.length > FOLD_AT
  const keys = Object.keys(metadata)
  return (
    <article
      class={`message ${marked ? 'marked' : ''}`}
      data-item
      tabIndex={-1}
      aria-label={`${shortText(sender, 40)}, number ${seq}`}
    >
      <header>
        <AgentName name={sender} />
        <span class="type">{visibleText(sender_type)}</span>
        <Time at={timestamp} />
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
          {keys.length > 0 && (
            <button
              type="button"
              class="plain-button"
              aria-expanded={details}
              onClick={() => {
                setDetails(!details)
              }}
            >
              Metadata
            </button>
          )}
          <button
            type="button"
            class="plain-button"
            title="Link to this message"
            onClick={() => {
              onOpen(seq)
            }}
          >
            #{seq}
          </button>
        </span>
      </header>
      {parent_message_id !== null && (
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
      {details && (
        <pre class="code" tabIndex={0}>
          {visibleText(JSON.stringify(metadata, null, 2))}
        </pre>
      )}
    </article>
  )
})
