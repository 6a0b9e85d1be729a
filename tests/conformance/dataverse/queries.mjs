// Lists: filter, select, order, expand, count, top and pages.

import { check, equal, matches, refused } from "./check.mjs";
import { answer, status } from "./wire.mjs";

const collection = "opportunities";
const names = (page) => page.value.map((row) => row.name);

export async function queries({ api, root }) {
  const customer = await api.create({ collection: "accounts", data: { name: "Query Ltd" } });
  const ours = `_parentaccountid_value eq ${customer}`;
  const made = [];
  for (const [at, name] of ["Alpha", "Beta", "Gamma", "Delta", "O'Neill & Sons"].entries()) {
    const data = {
      name,
      estimatedvalue: 100 * (at + 1),
      estimatedclosedate: `2027-0${at + 1}-01`,
      cosell_syncwithpartnercenter: at === 1,
      "parentaccountid@odata.bind": `/accounts(${customer})`,
      "customerid_account@odata.bind": `/accounts(${customer})`,
    };
    made.push(await api.create({ collection, data }));
  }
  const list = (more) => api.retrieveMultiple({ collection, select: ["name"], ...more });

  const filters = [
    ["name eq 'beta'", ["Beta"]],
    ["name eq 'O''Neill & Sons'", ["O'Neill & Sons"]],
    ["estimatedvalue gt 100 and estimatedvalue le 300", ["Beta", "Gamma"]],
    ["(name eq 'Alpha' or name eq 'Delta') and not (estimatedvalue eq 100)", ["Delta"]],
    ["cosell_syncwithpartnercenter eq true", ["Beta"]],
    ["estimatedclosedate lt 2027-03-01", ["Alpha", "Beta"]],
    ["startswith(name,'al') or endswith(name,'sons')", ["Alpha", "O'Neill & Sons"]],
    ["contains(name,'elt')", ["Delta"]],
    ["cosell_referralid ne null", []],
    ["modifiedon ge 2020-01-01T00:00:00Z and statecode ne 0", []],
    [`opportunityid eq ${made[2]}`, ["Gamma"]],
    [`opportunityid eq {${made[2]}}`, ["Gamma"]],
  ];
  for (const [filter, expected] of filters) {
    const told = filter.replaceAll(made[2], "<guid>");
    await check(`filter: ${told}`, async () => {
      equal(names(await list({ filter: `${ours} and (${filter})`, orderBy: ["name"] })), expected);
    });
  }

  await check("orderby: two columns, both directions; only the selected columns come", async () => {
    const page = await list({
      filter: ours,
      orderBy: ["cosell_syncwithpartnercenter desc", "estimatedvalue desc"],
    });
    equal(names(page), ["Beta", "O'Neill & Sons", "Delta", "Gamma", "Alpha"]);
    equal(page.oDataContext, `${root}/$metadata#opportunities(name)`);
    const told = Object.keys(page.value[0]).filter((name) => !name.startsWith("@"));
    equal(told.sort(), ["name", "opportunityid"]);
    matches(page.value[0]["@odata.etag"], /^W\/"\d+"$/);
  });

  await check("top and $count", async () => {
    const page = await list({ filter: ours, orderBy: ["estimatedvalue"], top: 2, count: true });
    equal(names(page), ["Alpha", "Beta"]);
    equal(page.oDataCount, 5);
    equal(page.oDataNextLink, undefined);
    equal(await api.count({ collection, filter: ours }), 5);
    const all = await api.count({ collection });
    matches(answer().headers["content-type"], /^text\/plain/);
    equal(all >= 5, true);
    equal(await api.countAll({ collection, filter: ours, select: ["name"] }), 5);
  });

  await check("pages: maxPageSize, nextLink called as it was given, no row twice", async () => {
    const call = { collection, select: ["name"], filter: ours, orderBy: ["estimatedvalue"], maxPageSize: 2 };
    const first = await api.retrieveMultiple(call);
    equal(answer().headers["preference-applied"], "odata.maxpagesize=2");
    equal(names(first), ["Alpha", "Beta"]);
    matches(first.oDataNextLink, /\$skiptoken=/);
    equal(first.oDataNextLink.startsWith(`${root}/opportunities?`), true, first.oDataNextLink);
    const second = await api.retrieveMultiple(call, first.oDataNextLink);
    equal(names(second), ["Gamma", "Delta"]);
    const third = await api.retrieveMultiple(call, second.oDataNextLink);
    equal([names(third), third.oDataNextLink], [["O'Neill & Sons"], undefined]);
    const again = await api.retrieveMultiple(call, first.oDataNextLink);
    equal(names(again), ["Gamma", "Delta"], "a link can be called again");
  });

  await check("pages: the client's own walk over all of them", async () => {
    const all = await api.retrieveAll({ collection, select: ["name"], filter: ours, maxPageSize: 2 });
    equal(names(all).sort(), ["Alpha", "Beta", "Delta", "Gamma", "O'Neill & Sons"]);
  });

  await check("pages: top is ignored beside maxPageSize", async () => {
    const page = await list({ filter: ours, top: 1, maxPageSize: 2 });
    equal([page.value.length, typeof page.oDataNextLink], [2, "string"]);
  });

  await check("expand: a lookup, a lookup of another kind, a collection with its own filter", async () => {
    const key = made[0];
    await api.create({
      collection: "cosell_solutiondetails",
      data: { cosell_solutionid: "QRY-1", cosell_name: "Analytics", cosell_type: "1P" },
    });
    for (const name of ["Analytics", "Archive"]) {
      await api.create({
        collection: "cosell_solutions",
        data: {
          cosell_name: name,
          "cosell_OpportunityId@odata.bind": `/opportunities(${key})`,
          "cosell_SolutionDetailId@odata.bind": "/cosell_solutiondetails(cosell_solutionid='QRY-1')",
        },
      });
    }
    const row = await api.retrieve({
      collection,
      key,
      select: ["name"],
      expand: [
        { property: "customerid_account", select: ["name"] },
        { property: "customerid_contact", select: ["fullname"] },
        {
          property: "cosell_solution_OpportunityId",
          select: ["cosell_name"],
          filter: "cosell_name eq 'Archive'",
        },
      ],
    });
    equal([row.customerid_account.name, row.customerid_contact], ["Query Ltd", null]);
    equal(
      row.cosell_solution_OpportunityId.map((one) => one.cosell_name),
      ["Archive"],
    );
    const solutions = await api.retrieveMultiple({
      collection: "cosell_solutions",
      select: ["cosell_name"],
      expand: [{ property: "cosell_SolutionDetailId", select: ["cosell_solutionid"] }],
      filter: `_cosell_opportunityid_value eq ${key}`,
      orderBy: ["cosell_name"],
    });
    equal(
      solutions.value.map((one) => one.cosell_SolutionDetailId.cosell_solutionid),
      ["QRY-1", "QRY-1"],
    );
  });

  await check("the sales team of an opportunity is its connections to users", async () => {
    const [key, me] = [made[0], await api.callFunction("WhoAmI")];
    const roles = await api.retrieveMultiple({
      collection: "connectionroles",
      select: ["name", "category"],
      filter: "category eq 1001",
    });
    await api.create({
      collection: "connections",
      data: {
        "record1id_opportunity@odata.bind": `/opportunities(${key})`,
        "record2id_systemuser@odata.bind": `/systemusers(${me.UserId})`,
        "record2roleid@odata.bind": `/connectionroles(${roles.value[0].connectionroleid})`,
      },
    });
    const team = await api.retrieveMultiple({
      collection: "connections",
      select: ["_record2id_value", "_record2roleid_value"],
      filter: `_record1id_value eq ${key}`,
      includeAnnotations: "*",
    });
    const [member] = team.value;
    equal([member._record2id_value, member._record2id_value_LogicalName], [me.UserId, "systemuser"]);
  });

  await check("a query of more than 2000 characters travels in a batch", async () => {
    const many = Array.from({ length: 60 }, (_, n) => `name eq 'nobody of this name ${n}'`);
    const page = await list({ filter: `${ours} and (${[...many, "name eq 'Beta'"].join(" or ")})` });
    matches(answer().line, /^POST .*\/\$batch$/);
    status(200);
    equal(names(page), ["Beta"]);
  });

  await check("refused: unknown columns, $skip, types that do not go together", async () => {
    const cases = [
      { select: ["Name"] },
      { filter: "Name eq 'x'" },
      { filter: "statecode eq 'Open'" },
      { filter: "name eq 5" },
      { orderBy: ["nonsense"] },
      { expand: [{ property: "nonsense" }] },
      { queryParams: ["$skip=1"] },
    ];
    for (const more of cases) {
      await refused(list(more), 400, "0x80060888");
    }
    const error = await refused(list({ select: ["Name"] }), 400);
    equal(
      error.message,
      "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.opportunity'.",
    );
  });
}
