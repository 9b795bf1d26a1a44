import { deliverConfig } from '../../shared/platform/config.ts';
import { composeDeliver } from '../deliverComposition.ts';

export const handler = composeDeliver(deliverConfig());
