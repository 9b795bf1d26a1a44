import { deliverConfig } from '../../shared/platform/config.ts';
import { composeDeliver } from './composition.ts';

export const { handler } = composeDeliver(deliverConfig());
