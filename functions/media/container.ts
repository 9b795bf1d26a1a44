/** The media function in an image of its own, which has ffmpeg and no runtime of Lambda's. */
import { lambdaRuntimeApi, noteTrace } from '../../shared/platform/config.ts';
import { serveCalls, tellOfFailedStart } from '../runtime/lambdaRuntime.ts';

const api = lambdaRuntimeApi();
try {
  const { handler } = await import('./entry.ts');
  await serveCalls({ api, handler, noteTrace });
} catch (error) {
  await tellOfFailedStart(api, error).catch(() => undefined);
  throw error;
}
