/** What people and programs of an agency call; Evolution, Pub/Sub and browsers call the rest. */
const OTHERS = ["console", "deliver_events", "openapi", "receive_webhook"];

export default {
  input: "../../../functions/openapi/openapi.json",
  output: { path: "src/generated", importFileExtension: ".js" },
  parser: { filters: { tags: { exclude: OTHERS }, orphans: true } },
  plugins: [
    { name: "@hey-api/client-fetch", throwOnError: true },
    "@hey-api/typescript",
    {
      name: "@hey-api/sdk",
      responseStyle: "data",
      operations: { strategy: "single", containerName: "Operations" },
    },
  ],
};
