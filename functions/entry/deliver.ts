import { deliverConfig } from '../../shared/platform/config.ts';
import { composeDeliver } from '../eventComposition.ts';
import { makeDeliverHandler } from '../deliver.ts';

export const handler = makeDeliverHandler(composeDeliver(deliverConfig()));
