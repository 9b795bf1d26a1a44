import type { ErrorRule } from './limitErrorRules.ts';

/** The failures of exports and of erasures of people. */
export const archiveErrorRules = {
  export_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'There is no such export, or its time is over. List yours with GET /v1/exports.',
  },
  export_file_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence:
      'The export has no such file. Its manifest names those that it has: GET /v1/exports/{id}/files/manifest.json.',
  },
  export_schedule_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'No exports are made by themselves. PUT /v1/export-schedule has them made.',
  },
  erasure_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'There is no such erasure. Receipts are kept for 90 days: list yours with GET /v1/contact-erasures.',
  },
  export_running: {
    httpStatus: 409,
    retry: 'later',
    sentence:
      'The export is not done, or has failed: there is nothing to fetch. `state` of GET /v1/exports/{id} says how far it is.',
  },
  archive_busy: {
    httpStatus: 429,
    retry: 'later',
    sentence:
      'Too many exports, or erasures, of yours are under way or kept. Wait until one has ended, or delete exports that you have fetched.',
  },
} as const satisfies Record<string, ErrorRule>;
