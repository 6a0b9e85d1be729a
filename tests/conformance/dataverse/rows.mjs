// Create, retrieve, upsert, update and delete of single rows.

import { randomUUID } from "node:crypto";
import { check, equal, matches, refused } from "./check.mjs";
import { answer, status } from "./wire.mjs";

export async function rows({ api, root }) {
  const collection = "opportunities";

  await check("create: 204 and the GUID in OData-EntityId", async () => {
    const id = await api.create({ collection, data: { name: "Plain" } });
    status(204);
    equal(answer().headers["odata-entityid"], `${root}/opportunities(${id})`);
    const row = await api.retrieve({ collection, key: id, select: ["name", "statecode", "statuscode"] });
    equal([row.name, row.statecode, row.statuscode], ["Plain", 0, 1]);
  });

  await check("create: with representation 201, the selected columns and the etag", async () => {
    const row = await api.create({
      collection,
      data: { name: "Shown", closeprobability: 40 },
      select: ["name", "versionnumber"],
      returnRepresentation: true,
    });
    status(201);
    const { headers } = answer();
    equal(headers["preference-applied"], "return=representation");
    equal(row["@odata.etag"], `W/"${row.versionnumber}"`);
    equal(headers.etag, row["@odata.etag"]);
    const told = Object.keys(row).filter((name) => !name.startsWith("@") && name !== "oDataContext");
    equal(told.sort(), ["name", "opportunityid", "versionnumber"]);
    equal(row.oDataContext, `${root}/$metadata#opportunities(name,versionnumber)/$entity`);
  });

  await check("retrieve: every column, lookups only as `_x_value`, stamps of the caller", async () => {
    const me = await api.callFunction("WhoAmI");
    const account = await api.create({ collection: "accounts", data: { name: "Litware" } });
    const bind = { "customerid_account@odata.bind": `accounts(${account})` };
    const id = await api.create({ collection, data: { name: "All", ...bind } });
    const row = await api.retrieve({ collection, key: id });
    equal(row._customerid_value, account);
    equal([row.customerid, row.customerid_account, row.parentaccountid], [undefined, undefined, undefined]);
    equal([row._createdby_value, row._modifiedby_value], [me.UserId, me.UserId]);
    equal(row.modifiedon.getUTCMilliseconds(), 0, "whole seconds");
    equal(row.opportunityid, id);
  });

  await check("retrieve: annotations name the label, the target and the navigation property", async () => {
    const account = await api.create({ collection: "accounts", data: { name: "Contoso" } });
    const data = {
      name: "Annotated",
      statuscode: 2,
      "customerid_account@odata.bind": `/accounts(${account})`,
    };
    const id = await api.create({ collection, data });
    const row = await api.retrieve({
      collection,
      key: id,
      select: ["statecode", "statuscode", "_customerid_value"],
      includeAnnotations: "*",
    });
    equal([row.statecode_Formatted, row.statuscode_Formatted], ["Open", "On Hold"]);
    equal(row._customerid_value_Formatted, "Contoso");
    equal(row._customerid_value_LogicalName, "account");
    equal(row._customerid_value_NavigationProperty, "customerid_account");
    matches(answer().headers["preference-applied"], /odata\.include-annotations="\*"/);
  });

  await check("retrieve: a date, a time and an amount as people read them", async () => {
    const euros = await api.retrieveMultiple({
      collection: "transactioncurrencies",
      filter: "isocurrencycode eq 'EUR'",
    });
    const currency = `/transactioncurrencies(${euros.value[0].transactioncurrencyid})`;
    const data = { name: "Read", estimatedvalue: 125000, estimatedclosedate: "2027-02-28" };
    const id = await api.create({
      collection,
      data: { ...data, "transactioncurrencyid@odata.bind": currency },
    });
    const select = ["estimatedvalue", "estimatedclosedate", "modifiedon"];
    const row = await api.retrieve({ collection, key: id, select, includeAnnotations: "*" });
    equal([row.estimatedvalue_Formatted, row.estimatedclosedate_Formatted], ["€125,000.00", "2/28/2027"]);
    matches(row.modifiedon_Formatted, /^\d{1,2}\/\d{1,2}\/\d{4} \d{1,2}:\d{2} [AP]M$/);
  });

  await check("`If-None-Match: null` and a tag change nothing", async () => {
    const headers = { "If-None-Match": "null", Consistency: "Strong" };
    const id = await api.create({ collection, data: { name: "Tagged" }, headers, tag: "from a test" });
    await api.update({ collection, key: id, data: { name: "Tagged 2" }, headers });
    status(204);
    const row = await api.retrieve({ collection, key: id, select: ["name"], headers });
    equal(row.name, "Tagged 2");
  });

  await check("retrieve: an unknown GUID, an unknown key value, an unknown key", async () => {
    const nobody = randomUUID();
    const gone = await refused(api.retrieve({ collection, key: nobody }), 404, "0x80040217");
    equal(gone.message, `opportunity With Id = ${nobody} Does Not Exist`);
    await refused(api.retrieve({ collection, key: "cosell_referralid='nobody'" }), 404, "0x80060891");
    const error = await refused(api.retrieve({ collection, key: "name='Plain'" }), 400, "0x80060888");
    matches(error.message, /^The key in the request URI is not valid for resource/);
  });

  await check("upsert by key: 204 both times, the URI in its key form", async () => {
    const key = "cosell_referralid='dwa-1'";
    for (const name of ["First", "Second"]) {
      await api.upsert({ collection, key, data: { name } });
      status(204);
      equal(answer().headers["odata-entityid"], `${root}/opportunities(${key})`);
    }
    const found = await api.retrieveMultiple({
      collection,
      select: ["name"],
      filter: "cosell_referralid eq 'dwa-1'",
    });
    equal(
      found.value.map((row) => row.name),
      ["Second"],
    );
  });

  await check("upsert by key with representation: 201 when created, 200 when updated", async () => {
    const call = {
      collection,
      key: "cosell_referralid='dwa-2'",
      select: ["name"],
      returnRepresentation: true,
    };
    const made = await api.upsert({ ...call, data: { name: "Made" } });
    status(201);
    const kept = await api.upsert({ ...call, data: { name: "Kept" } });
    status(200);
    equal(kept.opportunityid, made.opportunityid);
    equal([made.name, kept.name], ["Made", "Kept"]);
  });

  await check(
    "upsert by key: the key column of the body counts on create and is ignored on update",
    async () => {
      await api.upsert({
        collection,
        key: "cosell_referralid='dwa-3'",
        data: { cosell_referralid: "dwa-4" },
      });
      const row = await api.retrieve({ collection, key: "cosell_referralid='dwa-4'", select: ["name"] });
      await refused(api.retrieve({ collection, key: "cosell_referralid='dwa-3'" }), 404, "0x80060891");
      await api.upsert({
        collection,
        key: "cosell_referralid='dwa-4'",
        data: { cosell_referralid: "dwa-5" },
      });
      const again = await api.retrieve({ collection, key: "cosell_referralid='dwa-4'", select: ["name"] });
      equal(again.opportunityid, row.opportunityid);
    },
  );

  await check("upsert by GUID: creates the row with that GUID", async () => {
    const key = randomUUID();
    const id = await api.upsert({
      collection: "annotations",
      key,
      data: { subject: "Note", notetext: "a\nb" },
    });
    status(204);
    equal(id, key);
    const note = await api.retrieve({ collection: "annotations", key, select: ["notetext"] });
    equal(note.notetext, "a\nb");
  });

  await check("update: only what is sent changes, null clears", async () => {
    const data = { name: "Partial", description: "text", closeprobability: 10 };
    const id = await api.create({ collection, data });
    await api.update({ collection, key: id, data: { description: null, closeprobability: 20 } });
    status(204);
    const row = await api.retrieve({
      collection,
      key: id,
      select: ["name", "description", "closeprobability"],
    });
    equal([row.name, row.description, row.closeprobability], ["Partial", null, 20]);
  });

  await check("update: with representation 200 and the new etag", async () => {
    const made = await api.create({ collection, data: { name: "x" }, returnRepresentation: true });
    const call = { collection, key: made.opportunityid, data: { name: "y" }, select: ["name"] };
    const row = await api.update({ ...call, returnRepresentation: true });
    status(200);
    equal(row.name, "y");
    equal(row["@odata.etag"] === made["@odata.etag"], false, "the version moves");
  });

  await check("delete: 204, then 404", async () => {
    const id = await api.create({ collection, data: { name: "Short-lived" } });
    await api.deleteRecord({ collection, key: id });
    status(204);
    await refused(api.retrieve({ collection, key: id }), 404, "0x80040217");
    await refused(api.deleteRecord({ collection, key: id }), 404, "0x80040217");
  });

  await check("an unknown entity set", async () => {
    const error = await refused(api.retrieveMultiple({ collection: "opportunity" }), 404, "0x8006088a");
    equal(error.message, "Resource not found for the segment 'opportunity'.");
  });
}
