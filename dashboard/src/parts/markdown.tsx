import { marked, type Token, type Tokens } from 'marked'
import type { ComponentChildren } from 'preact'
import { visibleText } from './text.js'

/** Longer texts are shown as they are: to read Markdown takes time that grows with their length. */
const MARKDOWN_MAX = 20_000
/** So do texts of more such characters: with the square of their number, which is a second at 10 000. */
const MARKS_MAX = 2000
const MARK = /[*_~<>[\]`]/g
/** Quotes in quotes, lists in lists: who goes deeper gets the text as it is. */
const DEPTH_MAX = 30

/**
 * Markdown as elements, made one by one from what the reader of Markdown found. No text becomes HTML on its way, so
 * nothing in a message can run; and pictures are links, so nothing is loaded.
 */
export function Markdown({ text }: { text: string }) {
  const isCheap = text.length <= MARKDOWN_MAX && (text.match(MARK)?.length ?? 0) <= MARKS_MAX
  const tokens = isCheap ? lexed(text) : undefined
  if (tokens === undefined) return <pre class="plain">{visibleText(text)}</pre>
  return <div class="markdown">{tokens.map(block)}</div>
}

/** Whether tokens are nested deeper than that: to show them takes the stack of the script. */
function isDeeper(tokens: readonly Token[], depth: number): boolean {
  if (depth === 0) return tokens.length > 0
  return tokens.some(token => {
    const { tokens: inner = [], items = [] } = token as { tokens?: Token[]; items?: Token[] }
    return isDeeper([...inner, ...items], depth - 1)
  })
}

function lexed(text: string): Token[] | undefined {
  try {
    const tokens = marked.lexer(text, { gfm: true, breaks: true })
    return isDeeper(tokens, DEPTH_MAX) ? undefined : tokens
  } catch {
    // Nested deeper than the reader of Markdown can go.
    return undefined
  }
}

function block(token: Token, key: number): ComponentChildren {
  switch (token.type) {
    case 'space':
    case 'def':
      return null
    case 'heading':
      // A message has no place among the headings of the page.
      return (
        <p key={key} class={`heading heading-${Math.min(3, (token as Tokens.Heading).depth)}`}>
          {inlines(token)}
        </p>
      )
    case 'code':
      return (
        <pre key={key} class="code" tabIndex={0}>
          <code>{visibleText((token as Tokens.Code).text)}</code>
        </pre>
      )
    case 'blockquote':
      return <blockquote key={key}>{(token as Tokens.Blockquote).tokens.map(block)}</blockquote>
    case 'hr':
      return <hr key={key} />
    case 'list':
      return list(token as Tokens.List, key)
    case 'table':
      return table(token as Tokens.Table, key)
    case 'paragraph':
      return <p key={key}>{inlines(token)}</p>
    case 'text':
      return <p key={key}>{inlines(token)}</p>
    default:
      // HTML, and whatever else there is: its source.
      return <p key={key}>{visibleText(token.raw)}</p>
  }
}

function list({ ordered, start, items }: Tokens.List, key: number): ComponentChildren {
  const children = items.map((item, i) => (
    <li key={i}>
      {item.task && (item.checked === true ? '☑ ' : '☐ ')}
      {item.tokens.map((token, n) => (token.type === 'text' ? <span key={n}>{inlines(token)}</span> : block(token, n)))}
    </li>
  ))
  return ordered ? (
    <ol key={key} start={typeof start === 'number' ? start : 1}>
      {children}
    </ol>
  ) : (
    <ul key={key}>{children}</ul>
  )
}

function table({ header, rows }: Tokens.Table, key: number): ComponentChildren {
  return (
    <div key={key} class="table-scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {header.map((cell, i) => (
              <th key={i}>{cell.tokens.map(inline)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, n) => (
                <td key={n}>{cell.tokens.map(inline)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function inlines(token: Token): ComponentChildren {
  const inner = 'tokens' in token ? token.tokens : undefined
  return inner === undefined ? visibleText('text' in token ? String(token.text) : token.raw) : inner.map(inline)
}

function inline(token: Token, key: number): ComponentChildren {
  switch (token.type) {
    case 'strong':
      return <strong key={key}>{inlines(token)}</strong>
    case 'em':
      return <em key={key}>{inlines(token)}</em>
    case 'del':
      return <del key={key}>{inlines(token)}</del>
    case 'codespan':
      return <code key={key}>{visibleText((token as Tokens.Codespan).text)}</code>
    case 'br':
      return <br key={key} />
    case 'link':
      return link((token as Tokens.Link).href, inlines(token), key)
    case 'image':
      return link((token as Tokens.Image).href, `🖼 ${visibleText((token as Tokens.Image).text)}`, key)
    case 'text':
      return <span key={key}>{inlines(token)}</span>
    case 'escape':
      return visibleText((token as Tokens.Escape).text)
    default:
      return visibleText(token.raw)
  }
}

/** A link to a page of the web; any other address is text. */
function link(href: string, children: ComponentChildren, key: number): ComponentChildren {
  const url = URL.canParse(href) ? new URL(href) : undefined
  if (url === undefined || !['http:', 'https:', 'mailto:'].includes(url.protocol))
    return (
      <span key={key}>
        {children} ({visibleText(href)})
      </span>
    )
  return (
    <a key={key} href={url.href} rel="noreferrer noopener" target="_blank" title={url.href}>
      {children}
    </a>
  )
}
