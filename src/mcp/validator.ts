type Validate<T> = (
  input: unknown
) => { valid: true; data: T; errorMessage: undefined } | { valid: false; data: undefined; errorMessage: string }

/**
 * A validator that accepts everything. Without one, the SDKs build a JSON Schema compiler for each server, to validate
 * responses of clients to server requests. This server sends none, and the kernel checks tool arguments.
 */
export const noValidator = {
  getValidator:
    <T>(): Validate<T> =>
    input => ({ valid: true, data: input as T, errorMessage: undefined })
}
