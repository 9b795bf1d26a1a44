# The worker: one Node process that holds WhatsApp sockets. The functions are bundles, see scripts/bundleFunctions.ts.
#
#   docker buildx build --platform linux/arm64 -t holdfast-worker .
#   docker run --read-only --env-file worker.env holdfast-worker
#
# No package in it is native (a test checks that), so the first stage runs on the builder's own processor.
# The version is the one that package.json gives to every other place where this code runs.
ARG NODE_VERSION=24.21.0

FROM --platform=$BUILDPLATFORM node:${NODE_VERSION}-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Optional packages are Node itself and the local DynamoDB, peers are sharp for media: the worker needs none of them.
RUN npm ci --omit=dev --omit=optional --omit=peer --ignore-scripts --no-audit --no-fund
COPY scripts/importGraph.ts scripts/modules.ts scripts/pruneModules.ts scripts/
COPY shared shared
COPY worker worker
RUN node scripts/pruneModules.ts worker/main.ts worker/restore.ts worker/status/askHealth.ts

FROM node:${NODE_VERSION}-slim
ENV NODE_ENV=production
WORKDIR /app
# Owned by root and read by `node`: the process can change nothing that it runs, and it writes no file at all.
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/shared /app/shared
COPY --from=build /app/worker /app/worker
USER node
# Whether its event loop turns; whether it can work is its heartbeat in the Fleet table, which others watch. With Node, as
# there is nothing else to ask with. ECS does not read this line: the task definition says the same (a test compares them).
ENV HOLDFAST_STATUS_PORT=8081
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 CMD ["node", "worker/status/askHealth.ts", "8081"]
STOPSIGNAL SIGTERM
# Without a shell: node is process 1 and gets SIGTERM itself. Its flags are those of shared/platform/workerNodeFlags.ts.
CMD ["node", "--max-semi-space-size=4", "--no-parallel-scavenge", "--liftoff-only", "worker/main.ts"]
