import type { ErrorRule } from './limitErrorRules.ts';

/** The failures of exports, of erasures of people, and of the deletion of tenants. */
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
  tenant_deleted: {
    httpStatus: 403,
    retry: 'never',
    sentence: 'This tenant is being deleted, with all that it has. Its keys open nothing any more.',
  },
  tenant_not_suspended: {
    httpStatus: 409,
    retry: 'later',
    sentence:
      'Only a tenant that is suspended can be deleted. Suspend it with POST /v1/admin/tenants/{tenantId}/suspend, and send this again.',
  },
  tenant_being_deleted: {
    httpStatus: 409,
    retry: 'never',
    sentence: 'This tenant is being deleted, or was: nothing of it can be changed, and there is no way back.',
  },
} as const satisfies Record<string, ErrorRule>;
