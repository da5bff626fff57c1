import type { IncomingMessage, Server, ServerResponse } from 'node:http'

const waiting = new WeakMap<IncomingMessage, ServerResponse>()

/**
 * Lets the server decide about a request before its client sends the body, if the client has asked (`Expect:
 * 100-continue`). Node would ask for every body at once, and answer other expectations without an object.
 */
export function registerExpectations(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.set(request, response)
    server.emit('request', request, response)
  })
  // HTTP lets a server ignore what it does not know.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response))
}

/** Call this before the body is read. */
export function askForBody(request: IncomingMessage): void {
  waiting.get(request)?.writeContinue()
  waiting.delete(request)
}
