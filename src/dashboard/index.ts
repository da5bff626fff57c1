import fastifyStatic from '@fastify/static'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { pageFolder } from './page-files.js'
import { SignInCodes } from './sign-in-codes.js'
import { registerSignIn } from './sign-in-route.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes a code for `/app/#sign-in=<code>`; undefined where nobody can sign in by a link. */
    makeSignInCode: (() => string) | undefined
  }
}

export interface DashboardOptions {
  dashboard: boolean
  api_key: string | undefined
  shared_api_key: boolean
}

/**
 * What the page may do: run its own script, use its own styles, and call its own server. No text becomes HTML in it, so
 * it needs no trusted types. It also works over plain http, so upgrade-insecure-requests is left out.
 */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  // The files keep their names: a browser asks whether they have changed.
  'cache-control': 'no-cache'
}

/** The page for people: its files at /app/, and the link that signs in. It calls the public REST API and streams. */
export const dashboardPlugin = fp(
  async (app, { dashboard, api_key, shared_api_key }: DashboardOptions) => {
    const folder = dashboard ? pageFolder() : undefined
    if (folder === undefined) {
      if (dashboard) app.log.warn('the page is not built, so there is none at /app/; run: npm run build')
      app.decorate('makeSignInCode', undefined)
      return
    }
    await app.register(fastifyStatic, { root: folder, serve: false, cacheControl: false })
    const send = (file: string) => async (_request: unknown, reply: FastifyReply) =>
      reply.headers(PAGE_HEADERS).sendFile(file)
    // Relative, so that a proxy may put the service behind a path of its own.
    app.get('/', async (_request, reply) => reply.redirect('app/'))
    app.get('/app/', async (request, reply) =>
      /^\/app(\?|$)/.test(request.url) ? reply.redirect('app/') : send('index.html')(request, reply)
    )
    for (const file of ['page.js', 'page.css', 'icon.svg']) app.get(`/app/${file}`, send(file))
    const codes = new SignInCodes()
    if (shared_api_key && api_key !== undefined) registerSignIn(app, codes, api_key)
    app.decorate('makeSignInCode', shared_api_key && api_key !== undefined ? () => codes.make() : undefined)
  },
  { name: 'dashboard', dependencies: ['http'] }
)
