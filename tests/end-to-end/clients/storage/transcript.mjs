// What a client of a storage service got, line by line; see transcript.py.

import { RestError } from "@azure/core-rest-pipeline";

/** Asks, prints what came, and answers it; undefined after an error. */
export async function step(asked, call, show = (value) => value) {
  let value;
  try {
    value = await call();
  } catch (error) {
    console.log(`${asked}: ! ${problem(error)}`);
    return undefined;
  }
  const shown = show(value);
  console.log(`${asked}: ${shown === undefined ? "ok" : JSON.stringify(shown)}`);
  return value;
}

/** Status and code, as the service named them. */
function problem(error) {
  const isOfService = error instanceof RestError || error?.name === "RestError";
  if (!isOfService || error.statusCode === undefined) return `client ${error?.name}`;
  const body = error.details?.odataError ?? error.details;
  return `${error.statusCode} ${body?.code ?? body?.errorCode ?? error.code ?? "no code"}`;
}

/** Nothing of the value is the same each time. */
export const nothing = () => undefined;

/** All that a paged listing has. */
export async function all(iterator) {
  const found = [];
  for await (const item of iterator) found.push(item);
  return found;
}

/** The only argument. */
export function connectionString() {
  if (process.argv.length !== 3) {
    console.error("usage: SCRIPT CONNECTION-STRING");
    process.exit(2);
  }
  return process.argv[2];
}

/** Runs the parts in order under their names. */
export async function run(parts) {
  for (const part of parts) {
    console.log(`\n# ${part.name}`);
    await part();
  }
}
