import { z } from 'zod';
import { AppError } from '../../shared/kernel/appError.ts';
import { errorRules, type ErrorCode } from '../../shared/kernel/errorRules.ts';
import { problemTypeOf, titleOf } from '../http/problem.ts';
import { route, type Route } from '../http/route.ts';

const problemKindSchema = z
  .object({
    type: z.string().meta({ description: 'What `type` of such a problem says: the path at which this is read.' }),
    code: z.string(),
    status: z.number().int(),
    title: z.string().meta({ description: 'What has happened.' }),
    detail: z.string().meta({ description: 'What has happened and what to do about it.' }),
    again: z.enum(['never', 'later']).meta({
      description:
        'Whether the same request can succeed later. `never`: it has to be changed, or something else done first.',
    }),
  })
  .meta({ id: 'ProblemKind', description: 'A kind of problem that this API may answer.' });

const EXAMPLE = toKind('connection_not_found');

/** The catalogue of problems: `type` of each one that is answered leads to its page. */
export function problemRoutes(): readonly Route[] {
  return [
    route('GET', '/problems', {
      summary: 'List the kinds of problems that this API may answer',
      access: 'public',
      answers: {
        status: 200,
        schema: z.object({ data: z.array(problemKindSchema) }),
        example: { data: [EXAMPLE] },
      },
      handle: () =>
        Promise.resolve({ status: 200, json: { data: (Object.keys(errorRules) as ErrorCode[]).map(toKind) } }),
    }),
    route('GET', '/problems/{code}', {
      summary: 'Read what a problem means, and what to do about it',
      access: 'public',
      problems: ['route_not_found'],
      answers: { status: 200, schema: problemKindSchema, example: EXAMPLE },
      handle: ({ parameters: { code = '' } }) => {
        if (!Object.hasOwn(errorRules, code)) throw new AppError('route_not_found');
        return Promise.resolve({ status: 200, json: toKind(code as ErrorCode) });
      },
    }),
  ];
}

function toKind(code: ErrorCode): z.infer<typeof problemKindSchema> {
  const { httpStatus, sentence, retry } = errorRules[code];
  return {
    type: problemTypeOf(code),
    code,
    status: httpStatus,
    title: titleOf(sentence),
    detail: sentence,
    again: retry,
  };
}
