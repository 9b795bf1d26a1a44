import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { checkInput } from '../../../functions/http/checkInput.ts';
import { groupSettingsSet, groupSubjectSet } from '../../../shared/action/kinds/groups.ts';
import { profileAboutSet, profileDisappearingSet } from '../../../shared/action/kinds/profile.ts';

const group = '120363042537841234@g.us';

describe('the problems of a request', () => {
  it.each<readonly [what: string, schema: z.ZodType, request: object, problem: string]>([
    [
      'a text that two rules refuse',
      groupSubjectSet.request,
      { group, subject: 'x'.repeat(10_000) },
      'must have 128 characters or fewer',
    ],
    [
      'a text whose limit is counted in whole characters',
      profileAboutSet.request,
      { about: '😀'.repeat(300) },
      'must have 139 characters or fewer',
    ],
    [
      'a choice of numbers',
      profileDisappearingSet.request,
      { disappearing_seconds: 60 },
      'must be 0 or 86400 or 604800 or 7776000',
    ],
    [
      'a choice of numbers, deeper',
      groupSettingsSet.request,
      { group, settings: { disappearing_seconds: '0' } },
      'must be 0 or 86400 or 604800 or 7776000',
    ],
  ])('say once what is to be done about %s', (_what, schema, request, problem) => {
    const refused = expect.objectContaining({ fields: [expect.objectContaining({ problem })] }) as Error;

    expect(() => checkInput(schema, request, 'body')).toThrow(refused);
  });
});
