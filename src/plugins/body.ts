import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../core/errors.js'

/** JSON bodies: strictly UTF-8, and an empty one is an empty object. What the JSON holds is the kernel's to judge. */
export function registerBodyParser (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i, { parseAs: 'buffer' }, (request, body, done) => {
    try {
      done(null, parseJson(body as Buffer, request.headers['content-type'] ?? ''))
    } catch (error) {
      done(error as Error)
    }
  })
}

function parseJson (body: Buffer, contentType: string): unknown {
  const charset = /charset="?([\w-]+)/i.exec(contentType)?.[1]
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) {
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'JSON is taken in UTF-8 only.')
  }
  if (!isUtf8(body)) throw new AppError('INVALID_JSON', 'The request body is not valid UTF-8.')
  const text = body.toString('utf8').replace(/^\uFEFF/, '')
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new AppError('INVALID_JSON', 'The request body is not valid JSON.', {
      suggestions: ['Send one JSON object; check quotes, commas and escaped line breaks']
    })
  }
}
