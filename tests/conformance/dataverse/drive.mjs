// Drives a fresh Dataverse simulator with the npm client `dynamics-web-api`; exit code 1 if a check failed.
// What is expected is the vendor's documented behaviour, never what the simulator happens to do.

import { parseArgs } from "node:util";
import { DynamicsWebApi } from "dynamics-web-api";
import { summary } from "./check.mjs";
import { signIn } from "./token.mjs";
import { rows } from "./rows.mjs";
import { values } from "./values.mjs";
import { conditions } from "./conditions.mjs";
import { queries } from "./queries.mjs";
import { batches } from "./batches.mjs";
import { changes } from "./changes.mjs";
import { actions } from "./actions.mjs";
import { metadata } from "./metadata.mjs";
import { limits } from "./limits.mjs";

const USAGE = "usage: drive.mjs --dataverse URL --token-url URL --client-id ID --client-secret SECRET";

function given() {
  const text = { type: "string" };
  const options = { dataverse: text, "token-url": text, "client-id": text, "client-secret": text };
  try {
    const { values } = parseArgs({ options });
    const missing = Object.keys(options).filter((name) => !values[name]);
    if (missing.length === 0) return values;
    console.error(`missing: ${missing.map((name) => `\`--${name}\``).join(", ")}`);
  } catch (fault) {
    console.error(fault.message);
  }
  console.error(USAGE);
  process.exit(2);
}

const asked = given();
// The client would send everything through these.
delete process.env.http_proxy;
delete process.env.https_proxy;

const org = asked.dataverse.replace(/\/+$/, "");
const token = await signIn(org, asked);
const connect = (more = {}) =>
  new DynamicsWebApi({ serverUrl: org, onTokenRefresh: async () => token, propagateErrors: true, ...more });
const bench = { org, root: `${org}/api/data/v9.2`, api: connect(), connect };

for (const part of [rows, values, conditions, queries, batches, changes, actions, metadata, limits]) {
  await part(bench);
}
process.exit(summary());
