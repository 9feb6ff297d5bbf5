// The parts of the page, one shown at a time: asking, finding, alt texts. The address says which, so that "back" works.

const main = document.getElementById("main");
const links = [...document.querySelectorAll("#views a")];
const views = links.map((link) => document.querySelector(link.getAttribute("href")));

/** The part that is shown: "ask", "find" or "alt". */
export const shown = () => main.dataset.view;

/** Shows a part, as if its link had been followed. */
export function show(name) {
  if (shown() !== name) location.hash = `view-${name}`;
  turn();
}

/** Offers the parts that can work here. */
export function connect(names) {
  for (const link of links) link.hidden = !names.includes(nameOf(link));
  document.getElementById("views").hidden = names.length < 2;
  addEventListener("hashchange", () => turn() && document.querySelector(`#view-${shown()} h1`).focus());
  turn();
}

// Other addresses within the page, such as that of its content, change nothing. Whether another part is shown now.
function turn() {
  const link = links.find((one) => !one.hidden && one.getAttribute("href") === location.hash);
  if ((location.hash && !link) || shown() === nameOf(link ?? links[0])) return false;
  main.dataset.view = nameOf(link ?? links[0]);
  for (const view of views) view.hidden = view.id !== `view-${shown()}`;
  for (const one of links) {
    if (nameOf(one) === shown()) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
  return true;
}

const nameOf = (link) => link.getAttribute("href").replace("#view-", "");
