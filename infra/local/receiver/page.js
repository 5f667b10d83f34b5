// Ask once a second what arrived, and put it on top. What a person has opened stays as it is.

const list = document.getElementById("arrivals");
const most = Number(list.dataset.most);

async function refresh() {
  const after = list.firstElementChild?.dataset.number ?? 0;
  const answer = await fetch(`${location.pathname}/rows?after=${after}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  list.prepend(...page.body.children);
  while (list.children.length > most) list.lastElementChild.remove();
  document.getElementById("empty").hidden = list.children.length > 0;
}

async function repeat() {
  if (!document.hidden) await refresh().catch(() => {});
  setTimeout(repeat, 1000);
}

repeat();
