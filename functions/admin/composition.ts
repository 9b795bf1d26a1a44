import type { AdminConfig } from '../../shared/platform/config.ts';
import { composeHttp } from '../http/composeHttp.ts';
import type { AdminDependencies } from './handler.ts';

/** The parts of the function that serves operators. */
export function composeAdmin(config: AdminConfig): AdminDependencies {
  return composeHttp(config, 'admin');
}
