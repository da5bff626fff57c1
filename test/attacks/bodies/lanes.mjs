// Connections that an attacker opens again and again until its time is over, counting its answers by status.
import { connect } from 'node:net'

const PAUSE_MS = 20

/** Opens a connection, lets `begin` send on it, and ends when the connection does: at the latest when time is over. */
function once({ port, end, address, answers, expected, begin, isRead = true }) {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: address })
    let left = expected
    let finish
    const stop = setTimeout(
      () => {
        socket.destroy()
      },
      Math.max(0, end - Date.now())
    )
    socket.on('connect', () => {
      finish = begin(socket)
    })
    if (isRead)
      socket.on('data', data => {
        for (const [, status] of data.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3})/g)) {
          answers[status] = (answers[status] ?? 0) + 1
          if (--left === 0) socket.destroy()
        }
      })
    socket.on('error', ({ code }) => {
      answers[code] = (answers[code] ?? 0) + 1
    })
    socket.on('close', () => {
      clearTimeout(stop)
      finish?.()
      setTimeout(resolve, PAUSE_MS)
    })
  })
}

/**
 * Keeps so many connections busy for `ms`.
 * @param options.begin sends on a connection that is open; may return what ends it
 * @param options.expected answers after which a connection is left
 * @returns the answers by status, and errors of connections by code
 */
export async function keepBusy({ sockets, addresses = 1, ms, ...options }) {
  const end = Date.now() + ms
  const answers = {}
  const lane = async i => {
    const address = `127.0.0.${1 + (i % addresses)}`
    while (Date.now() < end) await once({ ...options, end, address, answers })
  }
  if (sockets === 0) await new Promise(resolve => setTimeout(resolve, ms))
  await Promise.all(Array.from({ length: sockets }, (_, i) => lane(i)))
  return answers
}
