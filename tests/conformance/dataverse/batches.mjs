// `$batch`: change sets that are done whole or not at all, references to earlier parts, reads beside them.

import { randomUUID } from "node:crypto";
import { check, equal, matches } from "./check.mjs";
import { answer, status } from "./wire.mjs";

const collection = "opportunities";

/** Runs a batch that must fail; answers the errors of its parts. */
async function failing(api) {
  try {
    const answers = await api.executeBatch();
    equal(answers, "a refusal", "the batch was accepted");
  } catch (errors) {
    if (!Array.isArray(errors)) throw errors;
    status(400);
    return errors;
  }
}

export async function batches({ api, root }) {
  const count = (set, filter) => api.count({ collection: set, filter });

  await check("a change set: Content-ID references in binds and in the URL", async () => {
    api.startBatch();
    api.create({ collection: "accounts", data: { name: "Batch Ltd" }, contentId: "1" });
    api.create({
      collection: "contacts",
      data: { lastname: "Vogel", "parentcustomerid_account@odata.bind": "$1" },
      contentId: "2",
    });
    api.create({
      collection,
      data: { name: "Batched", "customerid_account@odata.bind": "$1", "parentcontactid@odata.bind": "$2" },
      contentId: "3",
    });
    api.update({ contentId: "$3", data: { closeprobability: 30 } });
    api.create({
      collection: "annotations",
      data: { subject: "n", "objectid_opportunity@odata.bind": "$3" },
    });
    const [account, contact, deal, , note] = await api.executeBatch();
    status(200);
    matches(answer().headers["content-type"], /^multipart\/mixed; boundary=batchresponse_/);
    const row = await api.retrieve({ collection, key: deal });
    equal([row._customerid_value, row._parentcontactid_value, row.closeprobability], [account, contact, 30]);
    const about = await api.retrieve({ collection: "annotations", key: note, select: ["_objectid_value"] });
    equal(about._objectid_value, deal);
  });

  await check("a failing part rolls its change set back", async () => {
    const fresh = await api.create({ collection, data: { name: "Before" } });
    api.startBatch();
    api.create({ collection: "accounts", data: { name: "Rolled Back Ltd" }, contentId: "1" });
    api.update({ collection, key: fresh, data: { name: "After" } });
    api.deleteRecord({ collection, key: fresh });
    api.create({ collection, data: { name: "N".repeat(301), "customerid_account@odata.bind": "$1" } });
    const errors = await failing(api);
    equal(
      errors.map((one) => [one.status, one.error.code]),
      [[400, "0x80044331"]],
    );
    equal(await count("accounts", "name eq 'Rolled Back Ltd'"), 0);
    const row = await api.retrieve({ collection, key: fresh, select: ["name"] });
    equal(row.name, "Before");
  });

  await check("a failing change set ends the batch; what was before it stays", async () => {
    api.startBatch();
    api.create({ collection: "accounts", data: { name: "First Set Ltd" }, inChangeSet: false });
    api.create({ collection, data: { nonsense: 1 } });
    api.create({ collection: "accounts", data: { name: "Never Ltd" }, inChangeSet: false });
    const errors = await failing(api);
    equal(errors.at(-1).error.code, "0x80048d19");
    equal(await count("accounts", "name eq 'First Set Ltd'"), 1);
    equal(await count("accounts", "name eq 'Never Ltd'"), 0);
  });

  await check("continue-on-error: outer 200, every part answers for itself", async () => {
    api.startBatch();
    api.create({ collection, data: { name: "N".repeat(301) }, inChangeSet: false });
    api.create({ collection: "accounts", data: { name: "Went On Ltd" }, inChangeSet: false });
    const [error, id] = await api.executeBatch({ continueOnError: true });
    status(200);
    equal(answer().headers["preference-applied"], "odata.continue-on-error");
    equal([error.status, error.error.code], [400, "0x80044331"]);
    const row = await api.retrieve({ collection: "accounts", key: id, select: ["name"] });
    equal(row.name, "Went On Ltd");
  });

  await check("reads stand beside change sets and see what they wrote", async () => {
    const key = randomUUID();
    api.startBatch();
    api.upsert({ collection, key, data: { name: "Seen" }, select: ["name"], returnRepresentation: true });
    api.retrieve({ collection, key, select: ["name"] });
    api.retrieveMultiple({ collection, select: ["name"], filter: `opportunityid eq ${key}` });
    api.count({ collection: "accounts" });
    const [written, read, list, total] = await api.executeBatch();
    equal([written.name, read.name, list.value[0].name], ["Seen", "Seen", "Seen"]);
    equal(read["@odata.etag"], written["@odata.etag"]);
    equal(typeof total, "number");
  });

  await check("conditions hold inside a change set", async () => {
    const row = await api.create({ collection, data: { name: "x" }, returnRepresentation: true });
    const call = { collection, key: row.opportunityid, ifmatch: row["@odata.etag"] };
    api.startBatch();
    api.update({ ...call, data: { name: "y" } });
    await api.executeBatch();
    status(200);
    api.startBatch();
    api.update({ ...call, data: { name: "z" } });
    const errors = await failing(api);
    equal([errors[0].status, errors[0].error.code], [412, "0x80060882"]);
  });

  await check("alternate keys in a change set: key-form URIs come back", async () => {
    api.startBatch();
    api.upsert({ collection: "accounts", key: "cosell_customerkey='batch-1'", data: { name: "Keyed Ltd" } });
    api.upsert({ collection, key: "cosell_referralid='batch-1'", data: { name: "Keyed" } });
    const answers = await api.executeBatch();
    status(200);
    equal(answers, [undefined, undefined], "a key-form URI holds no GUID");
    const row = await api.retrieve({ collection, key: "cosell_referralid='batch-1'", select: ["name"] });
    equal(row.name, "Keyed");
  });

  await check("a reference to no part, and to a later one", async () => {
    const account = (contentId) => api.create({ collection: "accounts", data: { name: "A" }, contentId });
    const deal = (n) => api.create({ collection, data: { name: "x", "customerid_account@odata.bind": n } });
    const batches = {
      $9: () => [account("1"), deal("$9")],
      $2: () => [deal("$2"), account("2")],
    };
    for (const [n, batch] of Object.entries(batches)) {
      api.startBatch();
      batch();
      const error = (await failing(api)).at(-1);
      equal(error.status, 400);
      equal(error.error.message, `Content-ID Reference: '${n}' does not exist in the batch context.`);
    }
  });

  await check("a batch of bare line feeds is not readable", async () => {
    const { authorization } = answer().sent;
    const body = [
      "--b",
      "Content-Type: application/http",
      "Content-Transfer-Encoding: binary",
      "",
      `GET ${root}/WhoAmI HTTP/1.1`,
      "Accept: application/json",
      "",
      "--b--",
      "",
    ];
    const send = async (end) => {
      const headers = {
        authorization,
        accept: "application/json",
        "odata-version": "4.0",
        "odata-maxversion": "4.0",
        "content-type": "multipart/mixed; boundary=b",
      };
      const reply = await fetch(`${root}/$batch`, { method: "POST", headers, body: body.join(end) });
      return [reply.status, await reply.text()];
    };
    equal((await send("\r\n"))[0], 200);
    const [refusal, text] = await send("\n");
    equal([refusal, JSON.parse(text).error.code], [400, "0x80048d19"]);
    matches(text, /Stream was not readable/);
  });
}
