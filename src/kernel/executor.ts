/** What a tool's SQL runs on. src/postgres/schema.ts says what that is; the kernel only hands it on. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- postgres/ merges its members into it
export interface Executor {}
