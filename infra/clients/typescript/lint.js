// Says what is wrong with an OpenAPI document: node lint.js openapi.json

import { createConfig, formatProblems, getTotals, lint } from "@redocly/openapi-core";

const config = await createConfig({
  extends: ["recommended-strict"],
  rules: {
    "no-invalid-schema-examples": "error",
    "no-unused-components": "off", // `Problem` is for clients; test_openapi.py knows the rest
  },
});
const problems = await lint({ ref: process.argv[2], config });
formatProblems(problems, { format: "codeframe", totals: getTotals(problems), color: false });
process.exitCode = problems.length ? 1 : 0;
