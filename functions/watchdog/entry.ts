import { watchdogConfig } from '../../shared/platform/config.ts';
import { makeWatchdogHandler } from './handler.ts';
import { composeWatchdog } from './composition.ts';

export const handler = makeWatchdogHandler(composeWatchdog(watchdogConfig()));
