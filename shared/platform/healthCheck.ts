/**
 * The way in which the platform asks the worker's container for its health. The image (Dockerfile) and its task
 * definition must say the same. It uses Node itself, because the image has no other program that can.
 */
export const HEALTH_PORT = 8_081;
export const healthCommand = ['node', 'worker/status/askHealth.mjs', String(HEALTH_PORT)] as const;
