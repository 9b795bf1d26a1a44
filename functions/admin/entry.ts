import { adminConfig } from '../../shared/platform/config.ts';
import { makeAdminHandler } from './handler.ts';
import { composeAdmin } from './composition.ts';

export const handler = makeAdminHandler(composeAdmin(adminConfig()));
