import { watchdogConfig } from '../../shared/platform/config.ts';
import { makeWatchdogHandler } from '../watchdog.ts';
import { composeWatchdog } from '../watchdogComposition.ts';

export const handler = makeWatchdogHandler(composeWatchdog(watchdogConfig()));
