import { useMemo } from 'preact/hooks'
import type { MessageView } from '../api/catalogue.js'
import { useLoaded } from '../parts/load.js'
import { Failure } from '../parts/notes.js'
import { useClient } from '../signed-in.js'
import { type MessageActions, MessageItem } from './message.js'
import { SidePanel } from './side-panel.js'

/** A message, what it answers, and the answers to it, which come live. */
export function Thread({
  of,
  messages,
  onClose,
  ...actions
}: MessageActions & { of: MessageView; messages: readonly MessageView[]; onClose: () => void }) {
  const client = useClient()
  const { session_id, id, parent_message_id } = of
  const loaded = useLoaded(async () => {
    const [answers, parent] = await Promise.all([
      client.call('get_messages', { session_id, parent_message_id: id, limit: 200, order: 'asc' }),
      parent_message_id === null ? undefined : findMessage(client, of)
    ])
    return { answers: answers.messages, parent }
  }, [client, session_id, id, parent_message_id])
  const answers = useMemo(() => {
    const all = [...(loaded.value?.answers ?? []), ...messages.filter(each => each.parent_message_id === id)]
    return [...new Map(all.map(each => [each.id, each])).values()].sort((a, b) => a.seq - b.seq)
  }, [loaded.value, messages, id])
  const parent = messages.find(each => each.id === parent_message_id) ?? loaded.value?.parent
  return (
    <SidePanel title="Thread" onClose={onClose}>
      <Failure error={loaded.error} onRetry={loaded.reload} />
      {parent !== undefined && <MessageItem message={parent} reply={undefined} {...actions} />}
      <MessageItem message={of} reply={parent} {...actions} />
      <h3>{answers.length === 0 ? 'No answers yet' : 'Answers'}</h3>
      {answers.map(each => (
        <MessageItem key={each.id} message={each} reply={of} {...actions} />
      ))}
    </SidePanel>
  )
}

/**
 * The message that another one answers. It was written before, so the pages before are read backwards, some of them.
 */
async function findMessage(
  client: ReturnType<typeof useClient>,
  { session_id, seq, parent_message_id }: MessageView
): Promise<MessageView | undefined> {
  let before_seq = seq
  for (let page = 0; page < 5; page++) {
    const { messages, has_more } = await client.call('get_messages', {
      session_id,
      before_seq,
      limit: 1000,
      order: 'desc'
    })
    const found = messages.find(({ id }) => id === parent_message_id)
    if (found !== undefined || !has_more) return found
    before_seq = messages.at(-1)?.seq ?? 0
  }
  return undefined
}
