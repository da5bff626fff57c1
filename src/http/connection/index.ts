import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../../kernel/errors.js'
import { guardChunks } from '../body/chunks.js'
import { refuseBody } from '../body/refusals.js'
import { createScheduler } from '../scheduler.js'
import { closeWithConnection } from '../gone.js'
import { methodNotAllowed } from '../methods.js'
import { registerExpectations } from './expectations.js'
import { openIntake, intakeOf } from './intake.js'
import { Lingering } from './lingering.js'
import { rawAnswer, refuseSocket } from './raw-answers.js'

/** Milliseconds within which a body must have come in full once the server stops. */
const STOPPING_BODY_MS = 3000

/** Requests that came before the answer to the last one, and that are begun in one turn of the event loop. */
const REQUESTS_PER_TURN = 4

/** What happens on connections, before and beside the requests that they carry. */
export function registerConnections(app: FastifyInstance): void {
  const { server } = app
  const schedule = createScheduler(REQUESTS_PER_TURN)
  const shared = { lingering: new Lingering(), schedule, waiting_bytes: 0, crowded }
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    openIntake(socket, shared)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    closeWithConnection(request, response)
    guardChunks(request)
    intakeOf(request.socket)?.began(request, response)
  })
  server.on('clientError', (error, socket: Socket) => {
    refuseSocket(app, error, socket)
  })
  app.addHook('onRequest', (request, _reply, next) => {
    if (intakeOf(request.raw.socket)?.isCrowded === true) schedule(false, next)
    else next()
  })
  // Without a listener Node closes the connection.
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    intakeOf(socket)?.refuse(rawAnswer('405 Method Not Allowed', ...methodNotAllowed(app, request.url ?? '')))
  })
  registerExpectations(server)
  app.addHook('preClose', async () => {
    server.closeIdleConnections()
    for (const socket of sockets) {
      const intake = intakeOf(socket)
      if (intake === undefined || intake.isBusy) continue
      // HTTP clients open connections in advance. Node counts these as busy, and would wait for them.
      if (socket.bytesRead === 0) socket.destroy()
      else intake.refuse(rawAnswer('503 Service Unavailable', stopping()))
    }
    setTimeout(() => {
      for (const socket of sockets) {
        const request = intakeOf(socket)?.request
        if (request?.complete === false) refuseBody(request, stopping())
      }
    }, STOPPING_BODY_MS).unref()
  })
}

function crowded(): string {
  const error = 'Too many requests wait on connections of this server. It has not executed this one.'
  return rawAnswer('503 Service Unavailable', new AppError('SERVICE_UNAVAILABLE', error))
}

function stopping(): AppError {
  return new AppError('SERVICE_UNAVAILABLE', 'The server is stopping. It has not executed the request.')
}
