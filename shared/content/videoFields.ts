import { count, holds, oneOf, said } from './bodyField.ts';
import { areaFields, fileFields } from './fileFields.ts';

/** The fields of a film, long or as a note. */
export const videoFields = {
  ...fileFields,
  ...areaFields,
  duration: said(count(), 'In seconds.'),
  source: said(oneOf(['ai_generated']), 'Where it was not filmed: how it was made.'),
  view_once: said(holds(), 'It may be opened once.'),
} as const;
