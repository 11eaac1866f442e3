// Says what is wrong with an OpenAPI document, given as JSON on standard input, by the official
// schema of its version. The packages are below the directory that is the argument.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.argv[2]}/`);
const { Validator } = await import(
  pathToFileURL(require.resolve("@seriousme/openapi-schema-validator")).href);
const validator = new Validator();
const result = await validator.validate(JSON.parse(readFileSync(0, "utf8")));

console.log(JSON.stringify({ version: validator.version, ...result }));
