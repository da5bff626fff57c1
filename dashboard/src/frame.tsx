import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Link, useLocation } from 'wouter-preact'
import { AgentName } from './parts/agent.js'
import { Dialog } from './parts/dialog.js'
import { Guarded } from './parts/guarded.js'
import { useKeys } from './parts/keys.js'
import { useClient } from './signed-in.js'

const BRAND = 'Shared context'
const SCREENS = [
  { path: '/', name: 'Sessions', key: 's' },
  { path: '/search', name: 'Search', key: 'f' },
  { path: '/tasks', name: 'Tasks', key: 't' },
  { path: '/agents', name: 'Agents', key: 'p' }
]
const ADMIN_SCREENS = [
  { path: '/audit', name: 'Audit', key: 'a' },
  { path: '/keys', name: 'Keys', key: 'k' },
  { path: '/workspaces', name: 'Workspaces', key: 'w' },
  { path: '/health', name: 'Health', key: 'h' }
]

/** What is around every screen: where one can go, who one is, and the help for the keyboard. */
export function Frame({ children }: { children: ComponentChildren }) {
  const client = useClient()
  const [location, navigate] = useLocation()
  const [help, setHelp] = useState(false)
  const screens = client.can('admin') ? [...SCREENS, ...ADMIN_SCREENS] : SCREENS
  const name = screens.find(({ path }) => isAt(location, path))?.name
  useEffect(() => {
    document.title = name === undefined ? BRAND : `${name} · ${BRAND}`
    return () => {
      document.title = BRAND
    }
  }, [name])
  useKeys({
    '?': () => {
      setHelp(true)
    },
    '/': () => {
      const field = document.querySelector<HTMLElement>('input[type=search], [data-opens-search]')
      if (field === null) navigate('/search')
      else if (field.matches('input')) field.focus()
      else field.click()
    },
    ...Object.fromEntries(
      screens.map(({ path, key }) => [
        `g ${key}`,
        () => {
          navigate(path)
        }
      ])
    )
  })
  return (
    <>
      <a class="skip" href="#main" onClick={focusMain}>
        Skip to the content
      </a>
      <header class="top">
        <span class="brand">{BRAND}</span>
        <nav aria-label="Screens">
          {screens.map(({ path, name }) => (
            <Link key={path} href={path} aria-current={isAt(location, path) ? 'page' : undefined}>
              {name}
            </Link>
          ))}
        </nav>
        <div class="who">
          <AgentName name={client.identity.agent_id} />
          <button
            type="button"
            class="plain-button help"
            aria-label="Keys of the keyboard"
            onClick={() => {
              setHelp(true)
            }}
          >
            <kbd>?</kbd>
          </button>
          <button type="button" onClick={() => void client.signOut()}>
            Sign out
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <Guarded>{children}</Guarded>
      </main>
      {help && (
        <KeyHelp
          onClose={() => {
            setHelp(false)
          }}
        />
      )}
    </>
  )
}

function focusMain(event: Event): void {
  // The part after # is the page's own address.
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function isAt(location: string, path: string): boolean {
  return path === '/' ? location === '/' || location.startsWith('/sessions') : location.startsWith(path)
}

const KEYS = [
  ['/', 'Go to the search field'],
  ['j, k', 'Next, previous'],
  ['Enter', 'Open what is selected; in a search field, go to what was found'],
  ['c', 'Write a message'],
  ['End', 'Go to the newest message'],
  ['g s, g f, g t, g p', 'Go to sessions, search, tasks, agents'],
  ['g a, g k, g w, g h', 'For admins: go to audit, keys, workspaces, health'],
  ['Escape', 'Close what is open'],
  ['?', 'This list']
]

function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
