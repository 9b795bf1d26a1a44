import { canaryConfig } from '../../shared/platform/config.ts';
import { composeCanary } from './composition.ts';

export const handler = composeCanary(canaryConfig());
