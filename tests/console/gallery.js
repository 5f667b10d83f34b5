// Every part in every state, as one page: evaluated in the console's own, given where its modules are.
async (app) => {
  const from = (name) => import(new URL(name, app));
  const [{ html, render, useState }, ui, { ApiError }, { Router }] = await Promise.all(
    ["lib.js", "ui/index.js", "api.js", "router.js"].map(from),
  );
  const { Age, Button, Chip, Choice, ConfirmTyped, EmptyState, ErrorState, Notice, NumberChip, Search, Select, Sheet, Skeleton } = ui;
  const { StateChip, STATE_TONES, Tabs, toast, Toasts, Toolbar, View } = ui;
  const full = new ApiError("problem", { type: "urn:perene:problem:maximum-instances-reached", title: "x", status: 503 });
  window.confirmed = 0;

  function Gallery() {
    const [tab, setTab] = useState("qr");
    const [open, setOpen] = useState(null);
    const [fail, setFail] = useState(true);
    const close = () => setOpen(null);
    const confirm = async () => {
      setFail(false);
      if (fail) throw full;
      window.confirmed++;
    };
    return html`<${View} title="Gallery" actions=${html`<${Button} icon="plus" kind="primary">Add<//>`}>
      <p>${["", "primary", "danger", "quiet"].map((kind) => html`<${Button} kind=${kind} icon="send">Say ${kind}<//> `)}
        <${Button} busy>Busy<//> <${Button} disabled="Not while it rains">Off<//> <${Button} icon="copy" label="Copy" /> <${Button} small>Small<//></p>
      <p>${Object.keys(STATE_TONES).map((state) => html`<${StateChip} state=${state}>${state}<//> `)} <${Chip} icon="clock">plain<//></p>
      <p>${Array.from({ length: 30 }, (_, n) => html`<${NumberChip} line=${`line${n}`} label=${`Vendas ${n}`} number=${`55119888877${10 + n}`} /> `)}</p>
      <p><${Age} at=${new Date(Date.now() - 3 * 3600_000).toISOString()} /></p>
      <${Toolbar} label="Filter" count="3 of 5"><${Search} label="Search" onInput=${() => {}} />
        <${Select} label="State" value="" options=${[["", "All"], ["open", "Open"]]} onChange=${() => {}} />
        <${Choice} label="Which" options=${[{ id: "a", label: "All" }, { id: "b", label: "Unread" }]} chosen="a" onChoose=${() => {}} /><//>
      <div class="card"><div class="inside"><${Tabs} label="Ways" chosen=${tab} onChoose=${setTab}
        tabs=${[{ id: "qr", label: "QR", panel: () => "scan" }, { id: "code", label: "Code", panel: () => "type" }]} /></div></div>
      ${["", "good", "warn", "bad"].map((tone) => html`<p><${Notice} tone=${tone}>Something to know.<//></p>`)}
      <${Skeleton} height="2rem" />
      <${EmptyState} title="Nothing" text="There is nothing."><${Button}>Make one<//><//>
      <${ErrorState} error=${full} onRetry=${() => {}} />
      <p><${Button} onClick=${() => setOpen("confirm")}>Confirm…<//> <${Button} onClick=${() => setOpen("sheet")}>Sheet…<//>
        <${Button} onClick=${() => toast("Done.", { action: { label: "Undo", run: () => (window.undone = true) } })}>Toast<//></p>
      ${open === "confirm" && html`<${ConfirmTyped} title="Let it go?" word="Vendas" action="Let it go" onConfirm=${confirm} onClose=${close}><p>It is gone afterwards.</p><//>`}
      ${open === "sheet" && html`<${Sheet} title="A sheet" onClose=${close} foot=${html`<${Button} onClick=${close}>Done<//>`}><p>With <b>content</b>.</p><//>`}
    <//><${Toasts} />`;
  }
  document.getElementById("app").remove();
  const place = document.createElement("main");
  document.body.append(place);
  render(html`<${Router}><${Gallery} /><//>`, place);
};
