import { describeService } from '../../src/commands/describe.js'

/** Every tool of the service, in the order in which clients see them. */
export const { tools } = (await describeService()).kernel
