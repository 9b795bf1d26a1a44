import { apiConfig } from '../../shared/platform/config.ts';
import { makeAdminHandler } from '../admin.ts';
import { composeAdmin } from '../apiComposition.ts';

export const handler = makeAdminHandler(composeAdmin(apiConfig()));
