"""One step of one layer, worked out once: where each role of the cell stands.

The highway, that is the state which reaches its own next value by the fewest operations (c of an LSTM, h of
a GRU or RNN), runs straight along the top. The gates stand side by side below it, each a small column
with its products at the foot; what combines them stands between. The other states leave on the right, and
are brought to the products along a rail under the gates; inputs come from below. All of this is read off
the structure, so it holds for cells that the project has never seen.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from viz.metrics import text_width

GAP_X = 16.0
GAP_Y = 16.0
RAIL = 13.0  # between two rails under the gates
PAD = 14.0
GATE_LABEL = 16.0

Role = tuple[str, ...]
Pair = tuple[Role, Role]


@dataclass
class Spot:
    """Where a role stands in its cell: centre and size, the cell's upper left corner being (0, 0)."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0


@dataclass
class GateFrame:
    """The frame around one gate."""

    name: str
    left: float
    top: float
    right: float
    bottom: float
    framed: bool


@dataclass
class Cell:
    """The template of one layer's step.

    Attributes:
        spots: where each role stands.
        gates: the frames of the gates.
        highway: the roles on the straight line along the top, first to last.
        width, height: of everything, rails included.
        state_rail, input_rail: the y of the two rails below.
    """

    spots: dict[Role, Spot]
    gates: list[GateFrame] = field(default_factory=list)
    highway: list[Role] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0
    state_rail: float = 0.0
    input_rail: float = 0.0


def plan_core(
    sizes: dict[Role, tuple[float, float]],
    links: set[Pair],
    carried: set[Pair],
    gate_of: dict[Role, str],
) -> Cell:
    """Place the roles through which the state passes.

    Args:
        sizes: width and height of each role, in the order in which they are computed.
        links: (source, target) within the step.
        carried: (source, target) from this step to the next.
        gate_of: the gate of each role, "" for those directly in the cell.
    """
    order = {role: i for i, role in enumerate(sizes)}
    into: dict[Role, list[Role]] = {role: [] for role in sizes}
    for source, target in links:
        if source in order and target in order:
            into[target].append(source)
    cell = Cell({role: Spot(*size) for role, size in sizes.items()})
    direct = [role for role in sizes if not gate_of[role]]
    cell.highway = _highway(direct, links, carried, order)
    gates = _gate_order(sizes, links, gate_of, order)
    gates_width = _place_gates(cell, gates, into)
    _place_direct(cell, direct, into, gate_of, gates_width, carried)
    _stack_rows(cell, direct, gates, into, gate_of, gates_width)
    return cell


def _highway(
    direct: list[Role], links: set[Pair], carried: set[Pair], order: dict[Role, int]
) -> list[Role]:
    """The shortest way from a state's last value to its next one, outside of all gates."""
    inside = set(direct)
    after: dict[Role, list[Role]] = {role: [] for role in direct}
    for source, target in sorted(links, key=lambda pair: order.get(pair[1], 0)):
        if source in inside and target in inside:
            after[source].append(target)
    read = {source for source, _ in links}
    best: list[Role] = []
    best_rank = (True, 0)
    for state in sorted({s for s, _ in carried if s in inside}, key=order.__getitem__):
        starts = [t for s, t in carried if s == state and t in inside]
        way = _shortest_way(sorted(starts, key=order.__getitem__), state, after)
        # One that nothing else in the step reads (a running total) gives way to one that is read.
        rank = (state not in read, len(way))
        if way and (not best or rank < best_rank):
            best, best_rank = way, rank
    leaving = {s for s, _ in carried}
    for source, target in links:  # a state that is cut before it leaves
        if best and source == best[-1] and target in leaving and target in inside:
            return [*best, target]
    return best


def _shortest_way(starts: list[Role], end: Role, after: dict[Role, list[Role]]) -> list[Role]:
    before: dict[Role, Role | None] = dict.fromkeys(starts)
    queue = deque(starts)
    while queue:
        role = queue.popleft()
        if role == end:
            way = [role]
            while (previous := before[way[-1]]) is not None:
                way.append(previous)
            return way[::-1]
        for following in after[role]:
            if following not in before:
                before[following] = role
                queue.append(following)
    return []


def _gate_order(
    sizes: dict[Role, tuple[float, float]],
    links: set[Pair],
    gate_of: dict[Role, str],
    order: dict[Role, int],
) -> dict[str, list[Role]]:
    """The roles of each gate; gates in the order in which their results are used."""
    gates: dict[str, list[Role]] = {}
    for role in sizes:
        if gate_of[role]:
            gates.setdefault(gate_of[role], []).append(role)
    used: dict[str, int] = {}
    for source, target in links:
        gate = gate_of.get(source, "")
        if gate and target in order and not gate_of[target]:
            used[gate] = min(used.get(gate, len(order)), order[target])
    first = {gate: order[roles[0]] for gate, roles in gates.items()}
    late = len(order)
    names = sorted(gates, key=lambda gate: (used.get(gate, late), first[gate]))
    for source, target in sorted(links, key=lambda pair: order.get(pair[0], late)):
        a, b = gate_of.get(source, ""), gate_of.get(target, "")
        if a and b and a != b:  # a gate that acts inside another stands right before it
            names.remove(a)
            names.insert(names.index(b), a)
    return {gate: gates[gate] for gate in names}


def _depths(roles: list[Role], into: dict[Role, list[Role]]) -> dict[Role, int]:
    depth: dict[Role, int] = {}
    for role in roles:  # in the order of computing, so inputs come first
        depth[role] = max((depth[s] + 1 for s in into[role] if s in depth), default=0)
    return depth


def _place_gates(cell: Cell, gates: dict[str, list[Role]], into: dict[Role, list[Role]]) -> float:
    """Lay the gates side by side, y counted upwards from their common foot at 0; returns their width."""
    left = 0.0
    for gate, roles in gates.items():
        depth = _depths(roles, into)
        rows: list[list[Role]] = [[] for _ in range(max(depth.values()) + 1)]
        for role in roles:
            rows[depth[role]].append(role)
        spots = cell.spots
        widths = [sum(spots[r].width for r in row) + 8 * (len(row) - 1) for row in rows]
        inner = max(*widths, 0.0) if len(widths) > 1 else widths[0]
        foot = 0.0
        for row, width in zip(rows, widths, strict=True):
            tall = max(spots[r].height for r in row)
            x = left + 8 + (inner - width) / 2
            for role in row:
                spot = spots[role]
                spot.x, spot.y = x + spot.width / 2, -(foot + tall / 2)
                x += spot.width + 8
            foot += tall + 10
        framed = len(roles) > 1  # a gate that is one box already names itself
        inner_right = left + 16 + max(inner, text_width(gate, 10.0) if framed else 0.0)
        shift = (inner_right - left - 16 - inner) / 2
        for role in roles:
            spots[role].x += shift
        top = -(foot - 10 + GATE_LABEL + 2) if framed else -(foot - 10)
        cell.gates.append(GateFrame(gate, left, top, inner_right, 7.0 if framed else 0.0, framed))
        left = inner_right + 8
    return left - 8 if gates else 0.0


def _place_direct(
    cell: Cell,
    direct: list[Role],
    into: dict[Role, list[Role]],
    gate_of: dict[Role, str],
    gates_width: float,
    carried: set[Pair],
) -> None:
    """The x of the roles outside of gates: above their gates, and right of what they use."""
    spots = cell.spots
    frames = {frame.name: (frame.left + frame.right) / 2 for frame in cell.gates}
    on_highway = set(cell.highway)
    leaves = {source for source, _ in carried} - on_highway
    done: set[Role] = set()
    start = 0.0
    for role in direct:
        spot = spots[role]
        x = spot.width / 2
        if not cell.gates and role not in on_highway and not into[role]:
            x += start  # side by side: each is reached from below
            start = x + spot.width / 2 + 8
        gates = [frames[gate_of[s]] for s in into[role] if gate_of.get(s)]
        if gates:
            x = max(x, sum(gates) / len(gates))
            shared = {s for h in on_highway for s in into[h]} & set(into[role])
            if role not in on_highway and any(gate_of.get(s) for s in shared):
                x += spot.width / 2 + 14  # beside the line from the gate up to the highway
        beside = role in leaves and bool(cell.gates)
        for s in into[role]:
            if s in done:
                step = 0.0 if beside else spots[s].width / 2 + GAP_X + spot.width / 2
                x = max(x, spots[s].x + step)
        if beside:  # a state that leaves beside the gates
            x = max(x, gates_width + GAP_X + spot.width / 2)
        spot.x = x
        done.add(role)
    for a, b in zip(cell.highway, cell.highway[1:], strict=False):
        spots[b].x = max(spots[b].x, spots[a].x + (spots[a].width + spots[b].width) / 2 + GAP_X)


def _stack_rows(
    cell: Cell,
    direct: list[Role],
    gates: dict[str, list[Role]],
    into: dict[Role, list[Role]],
    gate_of: dict[Role, str],
    gates_width: float,
) -> None:
    """The y of everything: the highway, rows of other roles, the gates, the rails."""
    spots = cell.spots
    on_highway = set(cell.highway)
    tall = max((spots[r].height for r in cell.highway), default=0.0)
    y = tall / 2
    for role in cell.highway:
        spots[role].y = y
    below = tall + GAP_Y if cell.highway else 0.0
    beside = [r for r in direct if r not in on_highway and gates and _beside(spots[r], gates_width)]
    rows: list[list[Role]] = []
    for role in direct:
        if role in on_highway or (role in beside and any(gate_of.get(s) for s in into[role])):
            continue
        wanted = [i for i, row in enumerate(rows) if any(s in row for s in into[role])]
        for i in [*wanted, *range(len(rows) + 1)]:
            if i == len(rows):
                rows.append([])
            if all(_apart(spots[role], spots[other]) for other in rows[i]):
                rows[i].append(role)
                break
    for row in rows:
        tall = max(spots[r].height for r in row)
        for role in row:
            spots[role].y = below + tall / 2
        below += tall + GAP_Y
    if gates:
        foot = below + max(-frame.top for frame in cell.gates)
        for roles in gates.values():
            for role in roles:
                spots[role].y += foot
        for frame in cell.gates:
            frame.top += foot
            frame.bottom += foot
        for role in beside:  # level with the gate it takes its value from
            levels = [spots[s].y for s in into[role] if gate_of.get(s)]
            if levels:
                spots[role].y = levels[0]
        below = foot + 7.0 + GAP_Y / 2
    room = RAIL if gates else 7.0
    cell.state_rail = below + 2
    cell.input_rail = below + 2 + room
    cell.height = cell.input_rail + 4
    rights = [s.x + s.width / 2 for s in spots.values()] + [f.right for f in cell.gates]
    cell.width = max(rights, default=0.0)


def _beside(spot: Spot, gates_width: float) -> bool:
    return spot.x - spot.width / 2 >= gates_width


def _apart(a: Spot, b: Spot) -> bool:
    return abs(a.x - b.x) >= (a.width + b.width) / 2 + 8


def plan_tower(sizes: dict[Role, tuple[float, float]], links: set[Pair]) -> Cell:
    """Place roles that no later step depends on, such as an output layer and its loss: upwards."""
    order = list(sizes)
    inside = set(order)
    into: dict[Role, list[Role]] = {role: [] for role in order}
    for source, target in links:
        if source in inside and target in inside:
            into[target].append(source)
    cell = Cell({role: Spot(*size) for role, size in sizes.items()})
    depth = _depths(order, into)
    rows: list[list[Role]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for role in order:
        rows[depth[role]].append(role)
    widths = [sum(sizes[r][0] for r in row) + GAP_X * (len(row) - 1) for row in rows]
    cell.width = max(widths, default=0.0)
    y = 0.0
    for row, width in zip(reversed(rows), reversed(widths), strict=True):
        tall = max(sizes[r][1] for r in row)
        x = (cell.width - width) / 2
        for role in row:
            spot = cell.spots[role]
            spot.x, spot.y = x + spot.width / 2, y + tall / 2
            x += spot.width + GAP_X
        y += tall + GAP_Y
    cell.state_rail = y
    cell.input_rail = y + 2
    cell.height = y + 6
    return cell
