// `If-Match` and `If-None-Match` on reads, writes and deletes.

import { randomUUID } from "node:crypto";
import { check, equal, refused } from "./check.mjs";
import { answer, status } from "./wire.mjs";

const collection = "opportunities";

export async function conditions({ api, connect }) {
  const fresh = () =>
    api.create({ collection, data: { name: "Versioned" }, select: ["name"], returnRepresentation: true });

  await check("If-Match: the right version 204, the stale one 412", async () => {
    const row = await fresh();
    const call = { collection, key: row.opportunityid, ifmatch: row["@odata.etag"] };
    await api.update({ ...call, data: { closeprobability: 1 } });
    status(204);
    const error = await refused(api.update({ ...call, data: { closeprobability: 2 } }), 412, "0x80060882");
    equal(
      error.message,
      "The version of the existing record doesn't match the RowVersion property provided.",
    );
    const kept = await api.retrieve({ collection, key: row.opportunityid, select: ["closeprobability"] });
    equal(kept.closeprobability, 1, "the refused write left nothing");
  });

  await check("If-Match: * on a row that is not there 404, and nothing is created", async () => {
    const key = randomUUID();
    const error = await refused(api.update({ collection, key, data: { name: "x" } }), 404, "0x80040217");
    equal(answer().sent["if-match"], "*", "the client's update is update-only");
    equal(error.message, `opportunity With Id = ${key} Does Not Exist`);
    await refused(api.upsert({ collection, key, ifmatch: "*", data: { name: "x" } }), 404, "0x80040217");
    await refused(api.retrieve({ collection, key }), 404, "0x80040217");
    const call = { collection, key: "cosell_referralid='none-1'", ifmatch: "*", data: { name: "x" } };
    await refused(api.upsert(call), 404);
  });

  await check("If-None-Match: * creates once, then 412", async () => {
    const call = {
      collection: "annotations",
      key: randomUUID(),
      ifnonematch: "*",
      data: { subject: "Once" },
    };
    await api.upsert(call);
    status(204);
    await refused(api.upsert({ ...call, data: { subject: "Twice" } }), 412, "0x80040237");
    const note = await api.retrieve({ collection: "annotations", key: call.key, select: ["subject"] });
    equal(note.subject, "Once");
    const keyed = { collection, key: "cosell_referralid='once-1'", ifnonematch: "*", data: { name: "x" } };
    await api.upsert(keyed);
    await refused(api.upsert(keyed), 412, "0x80040237");
  });

  await check("If-None-Match: a client that swallows the 412 sees null", async () => {
    const call = {
      collection: "annotations",
      key: randomUUID(),
      ifnonematch: "*",
      data: { subject: "Once" },
    };
    const lenient = connect({ propagateErrors: false });
    await lenient.upsert(call);
    equal(await lenient.upsert(call), null);
    status(412);
  });

  await check("If-None-Match on a read: 304 while unchanged, 200 after", async () => {
    const row = await fresh();
    const call = { collection, key: row.opportunityid, select: ["name"], ifnonematch: row["@odata.etag"] };
    equal(await api.retrieve(call), undefined);
    status(304);
    await api.update({ collection, key: row.opportunityid, data: { name: "Moved" } });
    const moved = await api.retrieve(call);
    status(200);
    equal(moved.name, "Moved");
  });

  await check("If-None-Match on a read with annotations or $expand: 200", async () => {
    const row = await fresh();
    const call = { collection, key: row.opportunityid, select: ["name"], ifnonematch: row["@odata.etag"] };
    await api.retrieve({ ...call, includeAnnotations: "*" });
    status(200);
    await api.retrieve({
      ...call,
      expand: [{ property: "transactioncurrencyid", select: ["isocurrencycode"] }],
    });
    status(200);
  });

  await check("If-Match on a delete: stale 412, right 204", async () => {
    const row = await fresh();
    const key = row.opportunityid;
    await api.update({ collection, key, data: { name: "Newer" } });
    await refused(api.deleteRecord({ collection, key, ifmatch: row["@odata.etag"] }), 412, "0x80060882");
    const now = await api.retrieve({ collection, key, select: ["name"] });
    await api.deleteRecord({ collection, key, ifmatch: now["@odata.etag"] });
    status(204);
  });
}
