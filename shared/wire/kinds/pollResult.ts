import type { BodyOf } from '../../content/content.ts';
import { fieldOf, inFields } from '../oneField.ts';
import { integer, parts, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

type Body = BodyOf<'poll_result'>;

const RESULT_SNAPSHOT = 88;
const RESULT_SNAPSHOT_V3 = 115;
const QUIZ = 1;

export const pollResult: Understood<Body> = inFields<Body>(
  [RESULT_SNAPSHOT, RESULT_SNAPSHOT_V3].map((field) =>
    fieldOf({
      field,
      shape: shape({ name: text(1), votes: parts(2, shape({ name: text(1), count: integer(2) })), type: integer(4) }),
      context: 3,
      toBody: ({ name = '', votes = [], type }): Body => ({
        quiz: type === QUIZ ? true : undefined,
        name,
        options: votes.map((each) => ({ name: each.name ?? '', votes: each.count ?? 0 })),
      }),
    }),
  ),
);
