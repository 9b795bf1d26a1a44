import type { ErrorRule } from './limitErrorRules.ts';

/** The failures of exports and of erasures of people. */
export const archiveErrorRules = {
  export_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'There is no such export. List yours with GET /v1/exports.',
  },
  export_file_not_found: {
    httpStatus: 404,
    retry: 'later',
    sentence: 'The export has no such file, or is not done. Its manifest.json names those it has.',
  },
  erasure_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'There is no such erasure. List yours with GET /v1/contact-erasures.',
  },
  archive_busy: {
    httpStatus: 429,
    retry: 'later',
    sentence: 'Too many exports or erasures of yours are open or kept. Wait, or delete some.',
  },
} as const satisfies Record<string, ErrorRule>;
