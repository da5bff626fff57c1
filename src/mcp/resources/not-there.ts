import { AppError } from '../../kernel/errors.js'

/** The same words for what does not exist and for what is somebody else's. */
export function notThere(): AppError {
  return new AppError('TOOL_NOT_FOUND', 'There is no resource at that URI.', {
    suggestions: ['Read a URI that resources/list names, or one made from a template of resources/templates/list']
  })
}
