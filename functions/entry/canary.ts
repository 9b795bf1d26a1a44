import { canaryConfig } from '../../shared/platform/config.ts';
import { composeCanary } from '../canaryComposition.ts';

export const handler = composeCanary(canaryConfig());
