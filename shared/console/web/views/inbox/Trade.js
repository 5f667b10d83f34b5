// Show products, orders and payments.

import { html } from "../../lib.js";
import { formatCount, formatMoment, formatMoney } from "../../format.js";
import { has, t } from "../../i18n/index.js";
import { Icon } from "../../ui/index.js";
import { Address, Head } from "./Offers.js";
import { Facts } from "./Pieces.js";
import { Words } from "./FormattedText.js";
import { kindWord } from "./words.js";

const money = (amount) => amount && formatMoney(amount);
const say = (name, fallback) => (has(name) ? t(name) : fallback);

export function Product({ message, conversation }) {
  const { text, product = {} } = message;
  return html`<${Head} message=${message} conversation=${conversation} />
    <p class="mark"><${Icon} name="package" />${product.catalog || kindWord("product")}</p>
    ${product.title && html`<strong dir="auto">${product.title}</strong>`}
    ${product.price && html`<p class="price">${product.sale_price ? html`<s>${money(product.price)}</s> ${money(product.sale_price)}` : money(product.price)}</p>`}
    ${product.description && html`<${Words} text=${product.description} />`}
    ${product.url && html`<p class="small"><${Address} url=${product.url} /></p>`}
    ${text && html`<${Words} text=${text} />`}${product.footer && html`<p class="small" dir="auto">${product.footer}</p>`}`;
}

export function Order({ message, conversation }) {
  const { text, order = {}, payment } = message;
  return html`<${Head} message=${message} conversation=${conversation} />
    <p class="mark"><${Icon} name="shopping-cart" />${kindWord("order")}${order.status && ` · ${say(`inbox.order.states.${order.status}`, order.status)}`}</p>
    ${order.title && html`<strong dir="auto">${order.title}</strong>`}
    ${text && html`<${Words} text=${text} />`}
    ${order.items?.length > 0 && html`<ul role="list" class="items">${order.items.map(
      (item) => html`<li><span>${item.quantity > 0 && html`<span class="tabular">${formatCount(item.quantity)} × </span>`}<span dir="auto">${item.title}</span></span><span class="tabular">${money(item.price)}</span></li>`,
    )}</ul>`}
    <${Facts} facts=${[
      [t("inbox.order.items"), !order.items?.length && order.item_count && formatCount(order.item_count)],
      [t("inbox.order.subtotal"), money(order.subtotal)],
      [t("inbox.order.shipping"), money(order.shipping)],
      [t("inbox.order.discount"), money(order.discount)],
      [t("inbox.order.tax"), money(order.tax)],
      [t("inbox.order.total"), order.total && html`<strong>${money(order.total)}</strong>`],
      [t("inbox.order.reference"), order.reference],
    ].filter(([, value]) => value)} />
    ${order.note && html`<${Words} text=${order.note} />`}
    ${payment && html`<${Ways} payment=${payment} />`}`;
}

export function Payment({ message, conversation }) {
  const { text, payment = {} } = message;
  const word = say(`inbox.payment.states.${payment.state}`, kindWord("payment"));
  return html`<${Head} message=${message} conversation=${conversation} />
    <p class="mark"><${Icon} name="banknote" />${word}</p>
    ${payment.amount && html`<p class="price">${money(payment.amount)}</p>`}
    ${text && html`<${Words} text=${text} />`}<${Ways} payment=${payment} />`;
}

function Ways({ payment }) {
  const { pix, link, boleto, method, expires_at: until } = payment;
  const type = pix?.type && say(`inbox.payment.keys.${pix.type}`, pix.type.toUpperCase());
  return html`<${Facts} facts=${[
    [type ? t("inbox.payment.pixOf", { type }) : t("inbox.payment.pix"), pix?.key && html`<code>${pix.key}</code>`],
    [t("inbox.payment.copies"), pix?.copies && html`<code>${pix.copies}</code>`],
    [t("inbox.payment.payee"), pix?.payee],
    [t("inbox.payment.link"), link && html`<${Address} url=${link} />`],
    [t("inbox.payment.boleto"), boleto && html`<code>${boleto}</code>`],
    [t("inbox.payment.method"), method && say(`inbox.payment.methods.${method}`, method)],
    [t("inbox.payment.until"), until && formatMoment(until)],
  ]} />`;
}
