import { fleetConfig } from '../../shared/platform/config.ts';
import { composeTaskStopped } from './composition.ts';
import { makeTaskStoppedHandler } from './handler.ts';

export const handler = makeTaskStoppedHandler(composeTaskStopped(fleetConfig()));
