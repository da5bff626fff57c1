import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Client } from './api/client.js'

/** The service for whoever has signed in; every screen uses it. */
export const SignedIn = createContext<Client | undefined>(undefined)

export function useClient(): Client {
  return useContext(SignedIn) as Client
}
