import { fleetConfig } from '../../shared/platform/config.ts';
import { composeTaskStopped } from '../taskStoppedComposition.ts';
import { makeTaskStoppedHandler } from '../taskStopped.ts';

export const handler = makeTaskStoppedHandler(composeTaskStopped(fleetConfig()));
