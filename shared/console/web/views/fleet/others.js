// Bring the places of the fleet beside the overview, which an operator sees first.

import { html } from "../../lib.js";
import { Audit } from "./Audit.js";
import { Endpoints } from "./Endpoints.js";
import { History } from "./History.js";
import { Instances } from "./Instances.js";
import { Letters } from "./Letters.js";
import { Report } from "./Report.js";
import { Review } from "./Review.js";
import { Tenants } from "./Tenants.js";

const PARTS = { instances: Instances, clients: Tenants, endpoints: Endpoints, review: Review, report: Report, letters: Letters, history: History, audit: Audit };

export default function Other({ name, fleet }) {
  return html`<${PARTS[name]} fleet=${fleet} />`;
}
