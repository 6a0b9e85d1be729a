// Functions and actions: WhoAmI, closing and reopening an opportunity, qualifying a lead.

import { check, equal, refused } from "./check.mjs";
import { status } from "./wire.mjs";

const collection = "opportunities";

export async function actions({ api, root }) {
  const open = (data = {}) =>
    api.create({ collection, data: { name: "Deal", estimatedvalue: 1000, ...data } });
  const close = (actionName, Status, id, more = {}) =>
    api.callAction({
      actionName,
      action: {
        Status,
        OpportunityClose: { subject: "Closed", "opportunityid@odata.bind": `/opportunities(${id})`, ...more },
      },
    });
  const state = async (key) => {
    const row = await api.retrieve({
      collection,
      key,
      select: ["statecode", "statuscode", "actualvalue", "actualclosedate"],
    });
    return [row.statecode, row.statuscode, row.actualvalue, row.actualclosedate];
  };
  const closes = async (id) => {
    const filter = `_opportunityid_value eq ${id}`;
    const page = await api.retrieveMultiple({
      collection: "opportunitycloses",
      select: ["subject", "statecode", "actualrevenue"],
      filter,
    });
    return page.value.map((row) => [row.subject, row.statecode, row.actualrevenue]);
  };

  await check("WhoAmI is a function: GET 200, POST 404", async () => {
    const me = await api.callFunction("WhoAmI");
    equal(me.oDataContext, `${root}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse`);
    equal(
      [me.UserId, me.BusinessUnitId, me.OrganizationId].map((id) => id.length),
      [36, 36, 36],
    );
    const user = await api.retrieve({ collection: "systemusers", key: me.UserId, select: ["applicationid"] });
    equal(typeof user.applicationid, "string", "an application user");
    await refused(api.callAction({ actionName: "WhoAmI", action: {} }), 404);
  });

  await check("WinOpportunity: state, actual values, a completed close activity", async () => {
    const id = await open();
    await close("WinOpportunity", 3, id, { actualrevenue: 900, actualend: "2026-11-20" });
    status(204);
    equal(await state(id), [1, 3, 900, "2026-11-20"]);
    equal(await closes(id), [["Closed", 1, 900]]);
    await refused(close("WinOpportunity", 3, id), 400);
    equal((await closes(id)).length, 1, "a second win leaves nothing");
  });

  await check("LoseOpportunity: a reason, or -1 for the default one", async () => {
    const [sold, other] = [await open(), await open()];
    await close("LoseOpportunity", 5, sold);
    await close("LoseOpportunity", -1, other);
    equal((await state(sold)).slice(0, 2), [2, 5]);
    equal((await state(other)).slice(0, 2), [2, 4]);
  });

  await check("a reason of the other state is refused and nothing is closed", async () => {
    const id = await open();
    await refused(close("WinOpportunity", 4, id), 400, "0x80048408");
    await refused(close("LoseOpportunity", 3, id), 400, "0x80048408");
    equal(await state(id), [0, 1, null, null]);
    equal(await closes(id), []);
  });

  await check("an action on no opportunity, and one with a parameter it does not have", async () => {
    const nobody = "00000000-0000-0000-0000-0000000000aa";
    await refused(close("WinOpportunity", 3, nobody), 404, "0x80040217");
    const id = await open();
    const action = {
      Status: 3,
      OpportunityClose: { "opportunityid@odata.bind": `/opportunities(${id})` },
      Reason: 1,
    };
    await refused(api.callAction({ actionName: "WinOpportunity", action }), 400, "0x80048d19");
  });

  await check("reopen: statecode 0 with its reason", async () => {
    const id = await open();
    await close("WinOpportunity", -1, id);
    await api.update({ collection, key: id, data: { statecode: 0, statuscode: 1 } });
    status(204);
    equal((await state(id)).slice(0, 2), [0, 1]);
    await api.update({ collection, key: id, data: { closeprobability: 5 } });
  });

  await check("an action inside a change set is rolled back with it", async () => {
    const id = await open();
    api.startBatch();
    close("WinOpportunity", 3, id);
    api.create({ collection, data: { nonsense: 1 } });
    try {
      await api.executeBatch();
    } catch {
      status(400);
    }
    equal((await state(id)).slice(0, 2), [0, 1]);
    equal(await closes(id), []);
  });

  await check("QualifyLead is bound: 200 with references to what was made, once only", async () => {
    const account = await api.create({ collection: "accounts", data: { name: "Northwind" } });
    const currencies = await api.retrieveMultiple({
      collection: "transactioncurrencies",
      filter: "isocurrencycode eq 'EUR'",
    });
    const currency = currencies.value[0].transactioncurrencyid;
    const lead = await api.create({
      collection: "leads",
      data: { subject: "A lead", lastname: "Vogel", companyname: "Northwind" },
    });
    const call = {
      collection: "leads",
      key: lead,
      actionName: "Microsoft.Dynamics.CRM.QualifyLead",
      action: {
        CreateAccount: false,
        CreateContact: true,
        CreateOpportunity: true,
        Status: 3,
        OpportunityCurrencyId: {
          "@odata.type": "Microsoft.Dynamics.CRM.transactioncurrency",
          transactioncurrencyid: currency,
        },
        OpportunityCustomerId: { "@odata.type": "Microsoft.Dynamics.CRM.account", accountid: account },
      },
    };
    const { value } = await api.callAction(call);
    status(200);
    equal(
      value.map((one) => one["@odata.type"]),
      ["#Microsoft.Dynamics.CRM.contact", "#Microsoft.Dynamics.CRM.opportunity"],
    );
    const made = await api.retrieveMultiple({
      collection,
      select: ["name", "_customerid_value", "_transactioncurrencyid_value"],
      filter: `_originatingleadid_value eq ${lead}`,
    });
    const [deal] = made.value;
    equal([deal.opportunityid, deal.name], [value[1].opportunityid, "A lead"]);
    equal([deal._customerid_value, deal._transactioncurrencyid_value], [account, currency]);
    const row = await api.retrieve({
      collection: "leads",
      key: lead,
      select: ["statecode", "_qualifyingopportunityid_value"],
    });
    equal([row.statecode, row._qualifyingopportunityid_value], [1, deal.opportunityid]);
    await refused(api.callAction(call), 400);
  });
}
