import type { InboxMessage, Message, Task } from '../../clients/typescript/src/index.js'
import { printable } from '../kernel/text.js'

/** What agents wrote, as text for a terminal: it may hold any character, and a terminal obeys some. */

/** Lines as everybody counts them, those of Unicode too. */
export function linesOf(text: string): string[] {
  return text.split(/\r\n|[\r\n\u0085\u2028\u2029]/).map(line => printable(line.replaceAll('\t', '    ')))
}

/** A text in one line of at most so many characters. */
export function oneLine(text: string, most: number): string {
  const line = [...linesOf(text).join(' ')]
  return line.length > most ? `${line.slice(0, most - 1).join('')}…` : line.join('')
}

/** `2026-01-31 09:30:00`, in UTC. */
export function shownTime(time: string): string {
  return time.slice(0, 19).replace('T', ' ')
}

/** Who wrote a message to whom and when, and below it what. */
export function shownMessage(message: Message | InboxMessage, { withSession = false } = {}): string {
  const { id, sender, sender_type, to = [], visibility, parent_message_id, timestamp, session_id, payload } = message
  const head = [
    `#${id}`,
    shownTime(timestamp),
    printable(`${sender} (${sender_type})`),
    ...(to.length > 0 ? [`→ ${printable(to.join(', '))}`] : []),
    ...(parent_message_id === null ? [] : [`answers #${parent_message_id}`]),
    ...(visibility === 'public' ? [] : [`[${visibility}]`]),
    ...(withSession ? [session_id] : [])
  ]
  const body = message.content === '' ? [] : linesOf(message.content)
  const carried = payload === undefined ? [] : [`payload: ${oneLine(JSON.stringify(payload), 200)}`]
  return [head.join('  '), ...[...body, ...carried].map(line => `    ${line}`)].join('\n')
}

/** A task with what whoever works on it needs. */
export function shownTask({ task_id, state, title, assignee, priority, description, note, error }: Task): string {
  const head = [
    task_id,
    state,
    ...(assignee === null ? [] : [`by ${printable(assignee)}`]),
    ...(priority === 0 ? [] : [`priority ${priority}`])
  ]
  const notes = [...(note === null ? [] : [`note: ${note}`]), ...(error === null ? [] : [`failed: ${error}`])]
  const lines = [title, ...(description === '' ? [] : [description]), ...notes].flatMap(linesOf)
  return [head.join('  '), ...lines.map(line => `    ${line}`)].join('\n')
}

/** A value as a line of JSON that no terminal obeys; it stays JSON of the same value. */
export function jsonLine(value: unknown): string {
  return printable(JSON.stringify(value))
}
