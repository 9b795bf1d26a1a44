/**
 * How whoever runs the worker's container asks for its health, every part of which must say the same: the image (Dockerfile)
 * and its task definition. With Node itself, because the image has no other program that can.
 */
export const HEALTH_PORT = 8_081;
export const healthCommand = ['node', 'worker/status/askHealth.ts', String(HEALTH_PORT)] as const;
