// One line per check: `ok …`, or `not ok … expected … seen …`. A failed check does not stop the next one.

import assert from "node:assert/strict";
import { inspect } from "node:util";

let failed = 0;
let passed = 0;

const shown = (value) => inspect(value, { depth: 4, breakLength: Infinity, compact: true }).slice(0, 600);

/** Runs one check; what it throws is its failure. Answers what `run` answers. */
export async function check(name, run) {
  try {
    const answer = await run();
    passed += 1;
    console.log(`ok ${name}`);
    return answer;
  } catch (fault) {
    failed += 1;
    const compared = fault instanceof assert.AssertionError;
    const said = compared && !fault.generatedMessage ? `${fault.message.split("\n")[0]}: ` : "";
    const told = compared
      ? `${said}expected ${shown(fault.expected)} seen ${shown(fault.actual)}`
      : `expected no error seen ${shown(fault?.status ? { status: fault.status, code: fault.code, message: fault.message } : fault)}`;
    console.log(`not ok ${name} ${told}`);
    return undefined;
  }
}

export function equal(seen, expected, what) {
  assert.deepEqual(seen, expected, what);
}

export function matches(seen, pattern, what) {
  if (!pattern.test(String(seen))) {
    throw new assert.AssertionError({ message: what, actual: seen, expected: pattern, operator: "match" });
  }
}

/** The call must be refused with this status, and this code where one is given; answers the error. */
export async function refused(call, status, code) {
  let error;
  try {
    const answer = await call;
    error = { status: "no refusal", answer };
  } catch (thrown) {
    error = thrown;
  }
  const seen = { status: error.status ?? error.message };
  const expected = { status };
  if (code !== undefined) {
    seen.code = error.code;
    expected.code = code;
  }
  equal(seen, expected, error.message);
  return error;
}

export function summary() {
  console.log(`# ${passed} ok, ${failed} not ok`);
  return failed === 0 ? 0 : 1;
}
