export const APPLY_HELP = `
A file has one or several documents. The first says what they belong to:

  set: two-accounts
  accounts: { shop: "1000000000000001", web: { profile: web } }
  account: shop          # whose everything is that does not say it
  ---
  kind: EndpointService  # or Vpc, VSwitch, SecurityGroup, RouteTable,
  name: orders           # Endpoint, Acceptance
  users: [{ account_id: web }]
  ---
  kind: Endpoint
  account: web
  name: to-orders
  service: ref:orders    # ref: and a name stands for the id of that thing
  ...

Fields are those of the contract, enumerations by their short names;
docs/apply.schema.json says all of them, to editors too. A field that is left
out is not touched. A list that is given is the whole list.

Things are found again by their labels privatelink/set and privatelink/name:
applied twice, the second time changes nothing, and an apply that was
interrupted is finished by the next one. What was deleted by hand is made
again. Another name is another thing; to keep one under another name, or to
declare one that somebody else made, give its id. Such things are never pruned.
What cannot be changed, such as a range, is refused before anything is done.
Acceptances are never taken back: declare REJECTED.

It ends with 0 when all is as declared, and connected unless something holds
it; 65 for what is wrong in a file, with its place; 4 when --wait is over.
Otherwise the code is the gRPC code of what failed.`;

export const DIFF_HELP = `
It ends with 0 when all is as declared, and with 20 when apply has something
to do. plctl apply --help says what a file is.`;

export const EXPORT_HELP = `
It writes the account's services, networks and endpoints, each with its id:
applied, that changes nothing. Without ids, and with another set, it declares
the same anew, for example for another account.`;
