// Route addresses. All paths are relative to the console's root: "/lines", "/conversations/abc?unread=true".

import { html } from "./lib.js";
import { BASE } from "./config.js";
import { Router as Wouter } from "./vendor/wouter-preact/index.js";

export {
  Link,
  Redirect,
  Route,
  Switch,
  useLocation,
  useParams,
  useRoute,
  useSearchParams,
} from "./vendor/wouter-preact/index.js";

export const Router = ({ children }) => html`<${Wouter} base=${BASE}>${children}<//>`;
