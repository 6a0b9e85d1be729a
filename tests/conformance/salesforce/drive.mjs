// Drives a fresh Salesforce simulator with npm's `jsforce`; exit code 1 if a check failed. What is expected is the
// vendor's documented behaviour, never what the simulator happens to do.

import assert from "node:assert/strict";
import { createSign } from "node:crypto";
import { readFileSync } from "node:fs";
import jsforce from "jsforce";

if (process.argv.length !== 4 || process.argv[2] !== "--simulators") {
  console.error("usage: drive.mjs --simulators FILE");
  process.exit(2);
}
const given = JSON.parse(readFileSync(process.argv[3], "utf8"));
for (const name of ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]) delete process.env[name];

const KEY = "Referral_Identifier__c";
const DEAL = { Name: "Deal", StageName: "Prospecting", CloseDate: "2027-02-28" };

function assertion() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    iss: given.salesforce_client_id,
    sub: given.salesforce_username,
    aud: "https://login.salesforce.com",
    exp: Math.floor(Date.now() / 1000) + 120,
  };
  const signed = `${part({ alg: "RS256" })}.${part(claims)}`;
  return `${signed}.${createSign("RSA-SHA256").update(signed).sign(given.salesforce_private_key_pem, "base64url")}`;
}

const connection = new jsforce.Connection({ loginUrl: given.salesforce, version: "62.0" });
await connection.authorize({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: assertion() });

let failed = 0;
async function check(name, run) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (fault) {
    failed += 1;
    console.log(`not ok ${name}: ${fault.stack ?? fault}`.slice(0, 600));
  }
}

const refused = (code, run) => assert.rejects(run, (fault) => fault.errorCode === code || fault.name === code);

await check("the identity of a sign-in", async () => {
  assert.equal(connection.instanceUrl, given.salesforce);
  assert.match(connection.userInfo.id, /^005.{15}$/);
});
await check("collections are created, updated, read and deleted", async () => {
  const made = await connection.sobject("Account").create([{ Name: "A" }, { Name: "B" }, {}], { allOrNone: false });
  assert.deepEqual(made.map((item) => item.success), [true, true, false]);
  assert.equal(made[2].errors[0].statusCode ?? made[2].errors[0].errorCode, "REQUIRED_FIELD_MISSING");
  const ids = made.slice(0, 2).map((item) => item.id);
  const changed = await connection.sobject("Account").update(ids.map((Id) => ({ Id, Phone: "1" })));
  assert.ok(changed.every((item) => item.success));
  const rows = await connection.sobject("Account").retrieve(ids, { fields: ["Name", "Phone"] });
  assert.deepEqual(rows.map((row) => [row.Name, row.Phone]), [["A", "1"], ["B", "1"]]);
  const gone = await connection.sobject("Account").destroy(ids);
  assert.ok(gone.every((item) => item.success));
});
await check("rows are upserted by external id", async () => {
  const one = await connection.sobject("Opportunity").upsert({ ...DEAL, [KEY]: "js-1" }, KEY);
  assert.ok(one.success && one.created);
  const more = ["js-1", "js-2"].map((key) => ({ ...DEAL, [KEY]: key }));
  const both = await connection.sobject("Opportunity").upsert(more, KEY);
  assert.deepEqual(both.map((item) => item.created), [false, true]);
});
await check("a composite is one transaction", async () => {
  const root = "/services/data/v62.0/sobjects";
  const body = {
    allOrNone: true,
    compositeRequest: [
      { method: "POST", url: `${root}/Account`, referenceId: "account", body: { Name: "Composite" } },
      { method: "POST", url: `${root}/Contact`, referenceId: "contact", body: { AccountId: "@{account.id}" } },
    ],
  };
  const answer = await connection.requestPost("/services/data/v62.0/composite", body);
  const codes = answer.compositeResponse.map((part) => part.body[0].errorCode);
  assert.deepEqual(codes, ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING"]);
});
await check("children and parents are queried", async () => {
  const account = await connection.sobject("Account").create({ Name: "Parent" });
  const contact = await connection.sobject("Contact").create({ LastName: "Vogel", AccountId: account.id });
  const deal = await connection.sobject("Opportunity").create({ ...DEAL, AccountId: account.id });
  const role = { OpportunityId: deal.id, ContactId: contact.id, IsPrimary: true };
  await connection.sobject("OpportunityContactRole").create(role);
  const soql = `SELECT Account.Name, (SELECT Contact.LastName FROM OpportunityContactRoles) FROM Opportunity WHERE Id = '${deal.id}'`;
  const { records } = await connection.query(soql);
  assert.equal(records[0].Account.Name, "Parent");
  assert.equal(records[0].OpportunityContactRoles.records[0].Contact.LastName, "Vogel");
});
await check("objects describe themselves", async () => {
  const opportunity = await connection.sobject("Opportunity").describe();
  assert.equal(opportunity.fields.find((field) => field.name === KEY).unique, true);
  assert.ok((await connection.describeGlobal()).sobjects.length > 15);
});
await check("refusals carry their code", async () => {
  await refused("NOT_FOUND", () => connection.sobject("Opportunity").retrieve("006Qy00000zzzzz"));
  await refused("MALFORMED_QUERY", () => connection.query("SELECT Id FORM Account"));
  await refused("INVALID_FIELD", () => connection.sobject("Account").create({ Name: "x", Foo: 1 }));
});
console.log(failed === 0 ? "all as expected" : `${failed} not as expected`);
process.exit(failed === 0 ? 0 : 1);
