type Validate<T> = (
  input: unknown
) => { valid: true; data: T; errorMessage: undefined } | { valid: false; data: undefined; errorMessage: string }

/**
 * The SDKs build a JSON Schema compiler for each server unless they are given a validator. They would use it for
 * answers of clients to questions of ours; we ask none, and the kernel checks what tools are called with.
 */
export const noValidator = {
  getValidator:
    <T>(): Validate<T> =>
    input => ({ valid: true, data: input as T, errorMessage: undefined })
}
