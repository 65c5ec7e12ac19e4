// What the page adds to the picture: words for what is pointed at, its edges brought out, size, keys.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const svg = document.querySelector("#picture > svg");
  const panel = $("panel");
  const hint = panel.firstElementChild;
  const all = (selector) => [...svg.querySelectorAll(selector)];

  // Native tooltips give way to the panel; what they said becomes the accessible name.
  const words = new Map();
  for (const element of all(".node, .edge.gradient, .mark, .ledger")) {
    const title = element.querySelector(":scope > title");
    if (!title) continue;
    words.set(element, title.textContent);
    title.remove();
    if (!element.matches(".edge")) element.setAttribute("aria-label", words.get(element));
  }

  const nodes = new Map(all(".node").map((node) => [node.dataset.node, node]));
  const edges = all(".edge");
  const edgesOf = new Map([...nodes.keys()].map((key) => [key, []]));
  for (const edge of edges) {
    edgesOf.get(edge.dataset.from).push(edge);
    edgesOf.get(edge.dataset.to).push(edge);
  }

  // -- what is brought out -----------------------------------------------------------------------

  const usesOf = (parameter) =>
    all(".mark, .ledger").filter((element) => element.dataset.parameter === parameter);

  function related(element) {
    if (element.matches(".edge")) {
      const { from, to } = element.dataset;
      const twins = edgesOf.get(from).filter((e) => e.dataset.from === from && e.dataset.to === to);
      return [...twins, nodes.get(from), nodes.get(to)];
    }
    if (element.matches(".mark, .ledger")) {
      const uses = usesOf(element.dataset.parameter);
      return [...uses, ...uses.map((use) => use.closest(".node")).filter(Boolean)];
    }
    const own = edgesOf.get(element.dataset.node);
    const ends = own.flatMap((e) => [nodes.get(e.dataset.from), nodes.get(e.dataset.to)]);
    const weights = [...element.querySelectorAll(".mark")].map((mark) => mark.dataset.parameter);
    const ledger = all(".ledger").filter((row) => weights.includes(row.dataset.parameter));
    return [element, ...own, ...ends, ...ledger];
  }

  function details(element) {
    if (element.matches(".node")) {
      const key = element.dataset.node;
      const flows = edgesOf.get(key).filter((edge) => edge.matches(".gradient"));
      const arriving = flows.filter((edge) => edge.dataset.from === key);
      const leaving = flows.filter((edge) => edge.dataset.to === key);
      const marks = [...element.querySelectorAll(".mark")];
      return [...arriving, ...leaving, ...marks].map((found) => words.get(found));
    }
    if (element.matches(".mark, .ledger")) {
      const uses = usesOf(element.dataset.parameter).filter((use) => use.matches(".mark"));
      return uses.map((use) => {
        const { step } = use.closest(".node").dataset;
        return (step ? `step ${step}: ` : "") + words.get(use);
      });
    }
    return [];
  }

  let shown = null;
  let held = null;

  function show(element) {
    if (element === shown) return;
    for (const lit of all(".on")) lit.classList.remove("on");
    svg.classList.toggle("focus", Boolean(element));
    shown = element;
    if (!element) {
      panel.replaceChildren(hint);
      return;
    }
    for (const lit of related(element)) lit.classList.add("on");
    const head = document.createElement("p");
    head.append(Object.assign(document.createElement("strong"), { textContent: words.get(element) }));
    const list = document.createElement("ul");
    for (const line of details(element)) {
      list.append(Object.assign(document.createElement("li"), { textContent: line }));
    }
    panel.replaceChildren(head, list);
  }

  const target = (event) => event.target.closest(".mark, .node, .edge.gradient, .ledger");
  svg.addEventListener("pointerover", (event) => show(target(event) || held));
  svg.addEventListener("pointerleave", () => show(held));
  svg.addEventListener("click", (event) => {
    const found = target(event);
    held = found === held ? null : found;
    if (found && found.matches(".node")) found.focus({ preventScroll: true });
    show(held);
  });

  // -- keys --------------------------------------------------------------------------------------

  const middle = (node) => {
    const box = node.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const directions = {
    ArrowRight: [1, 0],
    ArrowLeft: [-1, 0],
    ArrowDown: [0, 1],
    ArrowUp: [0, -1],
  };

  // The nearest node that way; one at the other end of an edge before one that is only near.
  function next(node, [dx, dy]) {
    const [x, y] = middle(node);
    const key = node.dataset.node;
    const joined = new Set(edgesOf.get(key).flatMap((e) => [e.dataset.from, e.dataset.to]));
    let best = null;
    let least = Infinity;
    for (const other of nodes.values()) {
      if (other === node) continue;
      const [ox, oy] = middle(other);
      const ahead = (ox - x) * dx + (oy - y) * dy;
      const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (ahead <= 1 || aside > 3 * ahead) continue;
      const far = (ahead + 2 * aside) * (joined.has(other.dataset.node) ? 0.3 : 1);
      if (far < least) [best, least] = [other, far];
    }
    return best;
  }

  let stop = null; // the one node that Tab reaches
  function move(node) {
    if (stop) stop.setAttribute("tabindex", "-1");
    stop = node;
    stop.setAttribute("tabindex", "0");
  }
  for (const node of nodes.values()) {
    node.setAttribute("tabindex", "-1");
    node.setAttribute("role", "img");
  }
  if (nodes.size) move(nodes.values().next().value);

  svg.addEventListener("focusin", (event) => {
    const node = event.target.closest(".node");
    if (!node) return;
    move(node);
    show(node);
  });
  svg.addEventListener("focusout", () => show(held));
  svg.addEventListener("keydown", (event) => {
    const node = event.target.closest(".node");
    if (!node) return;
    const order = [...nodes.values()];
    let goal = null;
    if (event.key in directions) goal = next(node, directions[event.key]);
    else if (event.key === "Home") goal = order[0];
    else if (event.key === "End") goal = order[order.length - 1];
    else if (event.key === "Enter") held = held === node ? null : node;
    else return;
    event.preventDefault();
    if (goal) {
      goal.focus();
      goal.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    held = null;
    show(null);
  });

  // -- size and what is drawn --------------------------------------------------------------------

  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  let zoom = 1;
  const fitting = () => Math.max($("picture").clientWidth / width, 0.05);
  function resize(factor, fitted = false) {
    zoom = Math.min(Math.max(factor, 0.05), 8);
    svg.setAttribute("width", width * zoom);
    svg.setAttribute("height", height * zoom);
    $("zoom").textContent = `${Math.round(zoom * 100)}%`;
    $("fit").setAttribute("aria-pressed", String(fitted));
    $("full").setAttribute("aria-pressed", String(!fitted && zoom === 1));
  }
  $("fit").addEventListener("click", () => resize(fitting(), true));
  $("full").addEventListener("click", () => resize(1));
  $("smaller").addEventListener("click", () => resize(zoom / 1.25));
  $("larger").addEventListener("click", () => resize(zoom * 1.25));
  addEventListener("resize", () => {
    if ($("fit").getAttribute("aria-pressed") === "true") resize(fitting(), true);
  });
  for (const kind of ["gradients", "forward"]) {
    const apply = () => svg.classList.toggle(`no-${kind}`, !$(kind).checked);
    $(kind).addEventListener("change", apply);
    apply(); // a reloaded page keeps its boxes
  }

  svg.classList.add("live");
  svg.setAttribute("role", "group");
  $("tools").hidden = false;
  panel.hidden = false;
})();
