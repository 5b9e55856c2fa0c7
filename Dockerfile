# One image for both apps, with the page that the aggregator serves. Its targets differ in what they start.
ARG NODE_VERSION=24

FROM node:${NODE_VERSION}-slim AS build
WORKDIR /millrace
ENV NX_DAEMON=false
COPY . .
RUN npm ci
# The tests are not in the context, so Nx would find references that only they need to be stale.
RUN npx nx run-many --target=build --projects=aggregator,publisher,dashboard --skip-sync
RUN npm prune --omit=dev

FROM node:${NODE_VERSION}-slim AS runtime
WORKDIR /millrace
ENV NODE_ENV=production
COPY --from=build /millrace/package.json ./
COPY --from=build /millrace/node_modules node_modules
COPY --from=build /millrace/libs libs
COPY --from=build /millrace/apps apps
COPY --from=build /millrace/data data
USER node

FROM runtime AS aggregator
ENTRYPOINT ["node", "apps/aggregator/dist/main.js"]

FROM runtime AS publisher
ENTRYPOINT ["node", "apps/publisher/dist/main.js"]
